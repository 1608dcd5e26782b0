using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>
/// Keeps a port of this machine's gateways mapped to one of its UDP ports, for as long as it lives. Disposing releases what
/// was mapped, but does not wait for a silent gateway for long.
/// </summary>
internal interface IPortMapper : IAsyncDisposable
{
    /// <summary>
    /// Begins, once. <paramref name="changed"/> is called on any thread, one call at a time, with all external addresses at
    /// which the port can be reached now, each time there are others.
    /// </summary>
    void Start(Action<IReadOnlyList<Candidate>> changed);
}
