using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Trees;

/// <summary>A frozen tree: when it goes on it is put back where it was, and when it ends nothing of its cgroup stays.</summary>
internal sealed class TreeFence(IFence inner, Cgroup cgroup) : IFence
{
    public bool IsAlive => inner.IsAlive;

    /// <summary>What it is connected with is seen while it stands still.</summary>
    public async Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        DumpSummary summary = await inner.DumpAsync(imageDirectory, pages, cancellationToken).ConfigureAwait(false);
        if (TreeConnections.LeadingOut(cgroup.Pids()).Count > 0) await File.WriteAllBytesAsync(Path.Combine(imageDirectory, DumpMarks.ConnectionsEnd), [], cancellationToken).ConfigureAwait(false);
        return summary;
    }

    public IRemainingMemory? OpenRemaining() => inner.OpenRemaining();

    /// <summary>Whoever of it is left goes on, without the first process too.</summary>
    public async Task<bool> ThawAsync(CancellationToken cancellationToken)
    {
        bool isAlive = await inner.ThawAsync(cancellationToken).ConfigureAwait(false) || cgroup is { Exists: true, IsPopulated: true };
        TreeCgroup.Scatter(cgroup);
        return isAlive;
    }

    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        await inner.DestroyAsync(cancellationToken).ConfigureAwait(false);
        TreeCgroup.RemoveIfOurs(cgroup);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
