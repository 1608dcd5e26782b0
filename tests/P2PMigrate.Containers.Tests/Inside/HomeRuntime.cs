using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// The real runtime for a migration from this host to this host: what is proposed as <c>NAME-moved</c> is <c>NAME</c> here. It calls
/// <see cref="Frozen"/> with the frozen container before the dump, and <see cref="Complete"/> with the images before the restore.
/// </summary>
internal sealed class HomeRuntime(IContainerRuntime inner) : IContainerRuntime
{
    public const string Suffix = "-moved";

    public Func<Task> Frozen { get; init; } = () => Task.CompletedTask;

    public Func<string, Task> Complete { get; init; } = _ => Task.CompletedTask;

    /// <summary>Stands before whatever takes in memory that comes late.</summary>
    public Func<ILateMemory, ILateMemory> Late { get; init; } = late => late;

    public string Name => inner.Name;

    public Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken) => inner.DescribeMachineAsync(cancellationToken);

    public Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken) => inner.CheckMachineAsync(cancellationToken);

    public async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        ContainerDescription container = await inner.InspectAsync(name, bundle, cancellationToken);
        return container with { Name = container.Name + Suffix };
    }

    public Task<bool> LivesAsync(string name, CancellationToken cancellationToken) =>
        inner.LivesAsync(name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name, cancellationToken);

    /// <summary>Asked at the target, of what was restored.</summary>
    public Task<bool> LivesFromAsync(string name, string bundlePath, CancellationToken cancellationToken) => inner.LivesFromAsync(name, bundlePath, cancellationToken);

    public Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken) =>
        inner.CheckSourceAsync(Here(container), cancellationToken);

    public Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
        inner.CheckTargetAsync(container, source, cancellationToken);

    public ILiveMemory? OpenLiveMemory(ContainerDescription container) => inner.OpenLiveMemory(Here(container));

    public async Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken) =>
        new HomePlan(await inner.PrepareFreezeAsync(Here(container), workDirectory, cancellationToken), Frozen);

    public Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken) => inner.ReopenFenceAsync(workDirectory, cancellationToken);

    public IPageSink CreatePageWriter(string imageDirectory) => inner.CreatePageWriter(imageDirectory);

    public bool TakesLateMemory(RestoreRequest request) => inner.TakesLateMemory(request);

    public bool LacksMemory(RestoreRequest request) => inner.LacksMemory(request);

    public ILateMemory? OpenLateMemory(RestoreRequest request) => inner.OpenLateMemory(request) is { } late ? Late(late) : null;

    public Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.VerifyAsync(request, cancellationToken);

    public Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.PrepareRestoreAsync(request, cancellationToken);

    public async Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        await Complete(request.ImageDirectory);
        return await inner.RestoreAsync(request, cancellationToken);
    }

    public Task<RestoredState> FindRestoredAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.FindRestoredAsync(request, cancellationToken);

    public Task CompleteAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.CompleteAsync(request, cancellationToken);

    public Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.KeepAsync(request, cancellationToken);

    public Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken) => inner.CleanUpAsync(request, cancellationToken);

    private static ContainerDescription Here(ContainerDescription container) => container with { Name = container.Name[..^Suffix.Length] };

    private sealed class HomePlan(IFreezePlan inner, Func<Task> frozen) : IFreezePlan
    {
        public async Task<IFence> FreezeAsync(Action stopping, CancellationToken cancellationToken) =>
            new HomeFence(await inner.FreezeAsync(stopping, cancellationToken), frozen);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class HomeFence(IFence inner, Func<Task> frozen) : IFence
    {
        public bool IsAlive => inner.IsAlive;

        public async Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
        {
            await frozen();
            return await inner.DumpAsync(imageDirectory, pages, cancellationToken);
        }

        public IRemainingMemory? OpenRemaining() => inner.OpenRemaining();

        public Task<bool> ThawAsync(CancellationToken cancellationToken) => inner.ThawAsync(cancellationToken);

        public Task DestroyAsync(CancellationToken cancellationToken) => inner.DestroyAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
