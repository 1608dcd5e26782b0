namespace P2PMigrate.Migration.Runtime;

/// <summary>
/// What a runtime has found out and started ahead of a freeze, so that little is left to do once the container's last pages have been read. Nothing of it
/// touches the container. Disposing it undoes what was started, also after <see cref="FreezeAsync"/>, which takes over what it needs; it may be used once.
/// </summary>
// spec: MIG-71
public interface IFreezePlan : IAsyncDisposable
{
    /// <summary>
    /// Takes the container off its network and stops every process of it. From here the fence decides whether it ever
    /// runs again. When this throws, the container runs as before. What later recovery needs is written into the work directory before it is done. What is not
    /// true any more is asked again. <paramref name="stopping"/> is called once, just before the first thing that the container or its clients could feel:
    /// downtime begins there.
    /// </summary>
    Task<IFence> FreezeAsync(Action stopping, CancellationToken cancellationToken);
}
