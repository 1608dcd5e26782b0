using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Trees;

/// <summary>A tree that was frozen and is gone, with its machine's last boot or by itself. Whoever has its numbers now is somebody else.</summary>
internal sealed class EndedTree : IFence
{
    public bool IsAlive => false;

    public Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken) => throw new ContainerException("The process tree has ended.");

    public IRemainingMemory? OpenRemaining() => throw new ContainerException("The process tree has ended.");

    public Task<bool> ThawAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    public Task DestroyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
