using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// A relay channel as this endpoint uses it: the server that relays, and the leg that ends here. The path stays the same when
/// the way to the server changes.
/// </summary>
internal sealed class RelayRoute(RendezvousLink link, RelayLegId leg, PathAddress path)
{
    private RelayRoute(RendezvousLink link, RelayLegId leg)
        : this(link, leg, new PathAddress(LocalInterface.Relay(0), link.UdpAddress))
    {
    }

    /// <summary>The server that relays.</summary>
    public RendezvousLink Link => link;

    /// <summary>The leg that ends here.</summary>
    public RelayLegId Leg => leg;

    /// <summary>Where frames go now.</summary>
    public NetworkAddress Server => link.Server;

    /// <summary>The path that data takes through the relay. A session has one relay channel at a time.</summary>
    public PathAddress Path => path;

    /// <summary>The route that a delivery of the rendezvous server names; null when it opened none.</summary>
    public static RelayRoute? From(RendezvousLink link, RelayLegId leg) => leg == RelayLegId.None ? null : new RelayRoute(link, leg);

    /// <summary>The same path through another channel of the same relay.</summary>
    public RelayRoute WithLeg(RelayLegId other) => new(link, other, path);

    /// <summary>May a frame that came from <paramref name="remote"/> on <paramref name="frameLeg"/> be the peer's?</summary>
    public bool IsFrom(NetworkAddress remote, RelayLegId frameLeg) => frameLeg == leg && link.IsFrom(remote);
}
