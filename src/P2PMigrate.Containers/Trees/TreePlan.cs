using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>A plan for a tree that is gathered in <paramref name="cgroup"/>: when it is not carried out, the tree is put back.</summary>
internal sealed class TreePlan(IFreezePlan inner, ProcessTree tree, Cgroup cgroup) : IFreezePlan
{
    private bool _isFrozen;

    /// <summary>Nothing of the tree may be anywhere else when its cgroup has stopped.</summary>
    public async Task<IFence> FreezeAsync(Action stopping, CancellationToken cancellationToken)
    {
        if (TreeCgroup.Gather(tree).Path != cgroup.Path) throw new ContainerException($"The first process of {tree.Name} was moved into another cgroup by somebody; try again.");
        var fence = new TreeFence(await inner.FreezeAsync(stopping, cancellationToken).ConfigureAwait(false), cgroup);
        _isFrozen = true;
        if (TreeCgroup.Missing(tree, cgroup) is not [var apart, ..]) return fence;
        await fence.ThawAsync(CancellationToken.None).ConfigureAwait(false);
        throw new ContainerException($"Process {apart} was moved out of the cgroup of its tree ({cgroup.Path}) by somebody; try again.");
    }

    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        if (!_isFrozen) TreeCgroup.Scatter(cgroup);
    }
}
