using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// A session's claim to its relay channel: when nothing comes any more, the relay is asked for it by name, for the server may
/// have begun anew and forgotten it. Loop only.
/// </summary>
// spec: RLY-21
internal sealed class RelayClaim(ChannelName name, bool isInitiator)
{
    private TransactionId? _open;
    private Instant _notBefore;

    /// <summary>Nothing is heard on any path: asks the relay that <paramref name="session"/> uses, unless that was just done.</summary>
    public void Make(Instant now, SessionDriver session)
    {
        if (session.Relay is not { } relay || now < _notBefore || (_open is { } open && relay.Link.Client.IsJoining(open)))
            return;
        _open = relay.Link.Client.Join(now, name, isInitiator, relay.Leg);
        _notBefore = now + Silence.Interval;
    }

    /// <summary>The relay gave a leg for what was asked. False when it is another session's.</summary>
    public bool TryTake(ChannelJoined joined)
    {
        bool isOurs = joined.Transaction == _open;
        if (isOurs)
            _open = null;
        return isOurs;
    }
}
