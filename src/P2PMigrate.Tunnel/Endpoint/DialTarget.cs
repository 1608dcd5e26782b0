using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>Whom a dial is for: the ticket, the addresses that may lead there directly, and the resolved rendezvous server.</summary>
internal sealed record DialTarget(Ticket Ticket, IReadOnlyList<NetworkAddress> Hints, ServerAddresses? Rendezvous)
{
    /// <summary>An address on the way: tells whether the peer can be on this machine.</summary>
    public NetworkAddress Nearest => Hints.Count > 0 ? Hints[0] : Rendezvous?.All[0] ?? default;
}

/// <summary>What a dial learned on its way, so that its failure can be explained.</summary>
internal sealed class DialFindings
{
    /// <summary>The rendezvous server has answered something.</summary>
    public bool RendezvousAnswered { get; set; }

    /// <summary>The rendezvous server knows no such peer.</summary>
    public bool PeerIsUnknown { get; set; }

    /// <summary>The peer itself answered, though not with a session.</summary>
    public bool PeerAnswered { get; set; }

    /// <summary>The peer agreed to a session, but no way to it has opened.</summary>
    public bool HasNoPath { get; set; }

    /// <summary>Why the dial failed, as far as is known.</summary>
    public TunnelException ToException(DialTarget target)
    {
        string server = target.Ticket.Rendezvous?.ToString() ?? "";
        return target.Rendezvous is null && target.Hints.Count == 0
            ? new TunnelException(TunnelFailure.PeerUnreachable, "The ticket names neither a rendezvous server nor an address, so there is nowhere to go.")
            : HasNoPath
            ? new TunnelException(
                TunnelFailure.PeerUnreachable, $"The peer answered through the rendezvous server {server}, but no direct path has opened and the server does not relay.")
            : PeerAnswered
            ? new TunnelException(TunnelFailure.PeerUnreachable, "The peer is overloaded and did not complete the handshake; try again in a minute.")
            : target.Rendezvous is not null && !RendezvousAnswered
            ? ServerIsSilent(target.Ticket.Rendezvous)
            : PeerIsUnknown
            ? new TunnelException(TunnelFailure.PeerUnknown, $"The rendezvous server {server} does not know the peer; is `p2pmigrate receive` running there?")
            : new TunnelException(TunnelFailure.PeerUnreachable, "The peer did not answer; is the ticket from the `p2pmigrate receive` that is running there now?");
    }

    /// <summary>The rendezvous server does not answer.</summary>
    public static TunnelException ServerIsSilent(ServerName? server) => new(
        TunnelFailure.RendezvousUnreachable, $"The rendezvous server {server} does not answer; check its address, and that UDP, or TCP to port 443 if it serves TLS, may leave this network.");
}
