using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers;

/// <summary>
/// Several runtimes of one machine as one: a container is looked for in each, and everything after that is done by the one that has it. A name that more than one of them
/// knows is refused, with what to type.
/// </summary>
/// <param name="runtimes">Those that are looked through for a name.</param>
/// <param name="trees">Asked for a name that none of them knows: process trees. Null where there is nothing but containers.</param>
// spec: MIG-160, MIG-161
public sealed class RuntimeSet(IReadOnlyList<IContainerRuntime> runtimes, IContainerRuntime? trees = null) : IContainerRuntime
{
    private readonly IReadOnlyList<IContainerRuntime> _all = trees is null ? runtimes : [.. runtimes, trees];

    /// <inheritdoc/>
    public string Name => string.Join(" and ", runtimes.Select(runtime => runtime.Name));

    /// <inheritdoc/>
    public IContainerRuntime? Of(string runtime) => _all.FirstOrDefault(candidate => candidate.Name == runtime);

    /// <summary>The first one's: whoever describes this machine for a container asks that container's own runtime.</summary>
    public Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken) => runtimes[0].DescribeMachineAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (IContainerRuntime runtime in runtimes) findings.AddRange(await runtime.CheckMachineAsync(cancellationToken).ConfigureAwait(false));
        return [.. findings.Distinct()];
    }

    /// <inheritdoc/>
    public async Task<bool> KnowsAsync(string name, CancellationToken cancellationToken) =>
        (await KnowingAsync(name, cancellationToken).ConfigureAwait(false)).Count > 0;

    /// <inheritdoc/>
    public async Task<bool> LivesAsync(string name, CancellationToken cancellationToken)
    {
        foreach (IContainerRuntime runtime in _all)
        {
            if (await runtime.LivesAsync(name, cancellationToken).ConfigureAwait(false)) return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        IReadOnlyList<IContainerRuntime> knowing = await KnowingAsync(name, cancellationToken).ConfigureAwait(false);
        return knowing switch
        {
            [] when runtimes is [var only] => await only.InspectAsync(name, bundle, cancellationToken).ConfigureAwait(false),
            [] => throw new ContainerException($"No runtime here ({string.Join(", ", runtimes.Select(runtime => runtime.Name))}) knows a container named {name}."),
            [var one] => await one.InspectAsync(name, bundle, cancellationToken).ConfigureAwait(false),
            _ => throw new ContainerException(
                $"Containers named {name} are known to {string.Join(" and ", knowing.Select(runtime => runtime.Name))}; say which one is meant: {string.Join(" or ", knowing.Select(runtime => $"--runtime {runtime.Name}"))}"),
        };
    }

    /// <inheritdoc/>
    public ContainerDescription WithVolumes(ContainerDescription container, VolumeChoice choice) => For(container).WithVolumes(container, choice);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken) =>
        For(container).CheckSourceAsync(container, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
        For(container).CheckTargetAsync(container, source, cancellationToken);

    /// <inheritdoc/>
    public ILiveMemory? OpenLiveMemory(ContainerDescription container) => For(container).OpenLiveMemory(container);

    /// <inheritdoc/>
    public Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken) =>
        For(container).PrepareFreezeAsync(container, workDirectory, cancellationToken);

    /// <inheritdoc/>
    public async Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken)
    {
        foreach (IContainerRuntime runtime in _all)
        {
            if (await runtime.ReopenFenceAsync(workDirectory, cancellationToken).ConfigureAwait(false) is { } fence) return fence;
        }

        return null;
    }

    /// <inheritdoc/>
    public IPageSink CreatePageWriter(string imageDirectory) => runtimes[0].CreatePageWriter(imageDirectory);

    /// <inheritdoc/>
    public bool TakesLateMemory(RestoreRequest request) => For(request.Container).TakesLateMemory(request);

    /// <inheritdoc/>
    public bool LacksMemory(RestoreRequest request) => For(request.Container).LacksMemory(request);

    /// <inheritdoc/>
    public ILateMemory? OpenLateMemory(RestoreRequest request) => For(request.Container).OpenLateMemory(request);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).VerifyAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).PrepareRestoreAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).RestoreAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task<RestoredState> FindRestoredAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).FindRestoredAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task CompleteAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).CompleteAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).KeepAsync(request, cancellationToken);

    /// <inheritdoc/>
    public Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken) => For(request.Container).CleanUpAsync(request, cancellationToken);

    private IContainerRuntime For(ContainerDescription container) => Of(container.Runtime)
        ?? throw new ContainerException($"The container {container.Name} needs the runtime {container.Runtime}, which is not on this machine.");

    private async Task<IReadOnlyList<IContainerRuntime>> KnowingAsync(string name, CancellationToken cancellationToken)
    {
        var knowing = new List<IContainerRuntime>();
        ContainerException? failure = null;
        foreach (IContainerRuntime runtime in runtimes)
        {
            try
            {
                if (await runtime.KnowsAsync(name, cancellationToken).ConfigureAwait(false)) knowing.Add(runtime);
            }
            catch (ContainerException silent)
            {
                failure ??= runtimes.Count == 1 ? silent : new ContainerException($"{runtime.Name} does not say whether it knows {name}; name the runtime that has it, as in --runtime {runtimes.First(other => other != runtime).Name}. {silent.Message}", inner: silent);
            }
        }

        if (knowing.Count == 0 && failure is null && trees is not null && await trees.KnowsAsync(name, cancellationToken).ConfigureAwait(false)) return [trees];
        return failure is null || knowing.Count > 0 ? knowing : throw failure;
    }
}
