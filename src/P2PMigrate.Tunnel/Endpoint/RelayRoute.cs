using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>A relay channel as this endpoint uses it: where the relay is, and the leg that ends here.</summary>
internal sealed record RelayRoute(NetworkAddress Server, RelayLegId Leg)
{
    /// <summary>The path that data takes through the relay. A session has one relay channel at a time.</summary>
    public PathAddress Path => new(LocalInterface.Relay(0), Server);

    /// <summary>The route that a delivery of the rendezvous server names; null when it opened none.</summary>
    public static RelayRoute? From(NetworkAddress server, RelayLegId leg) => leg == RelayLegId.None ? null : new RelayRoute(server, leg);
}
