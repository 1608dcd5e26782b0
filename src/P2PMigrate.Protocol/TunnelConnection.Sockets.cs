namespace P2PMigrate.Protocol;

/// <content>From where is sent.</content>
public sealed partial class TunnelConnection
{
    /// <summary>
    /// The driver has these sockets now, for example one more that a TURN server lends it. Paths from one that is gone end by their silence.
    /// </summary>
    // spec: TURN-01
    public void SetSockets(Instant now, IReadOnlyList<LocalSocket> sockets) => _agent.SetSockets(now, sockets);
}
