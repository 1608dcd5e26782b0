using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol;

/// <content>From where is sent.</content>
public sealed partial class TunnelConnection
{
    /// <summary>
    /// The driver has these sockets now, for example one more that a TURN server lends it. Paths from one that is gone end by their silence.
    /// </summary>
    // spec: TURN-01
    public void SetSockets(Instant now, IReadOnlyList<LocalSocket> sockets) => _agent.SetSockets(now, sockets);

    /// <summary>
    /// Is a probe due that opens this side's NATs? Until there is none, the owner sends what <c>TryPollTransmit</c> gives before its answer to
    /// the handshake: the other side's first probe must not be here before.
    /// </summary>
    // spec: PATH-85
    public bool OwesOpeners(Instant now) => _agent.OwesOpeners(now);

    /// <summary>The machine's network changed (address, route): probes everything again at once.</summary>
    public void HandleNetworkChange(Instant now, IReadOnlyList<LocalSocket> sockets) => _agent.HandleNetworkChange(now, sockets);

    /// <summary>The machine refused to send a datagram of this size on the path: it is too long for the interface.</summary>
    // spec: PATH-45
    public void HandleTooLong(Instant now, PathAddress path, int size)
    {
        _agent.HandleTooLong(now, path, size);
        Settle(now);
    }
}
