using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>What the directory of a fleet has entries for.</summary>
public enum FleetKeyKind
{
    /// <summary>A registered peer. spec: RDV-41.</summary>
    Peer,

    /// <summary>The initiator's side of a relay channel. spec: RLY-32.</summary>
    InitiatorSide,

    /// <summary>The responder's side of a relay channel. spec: RLY-32.</summary>
    ResponderSide,
}

/// <summary>Something that is at one server of a fleet, which the others have to find: the directory maps it to that server's id.</summary>
public readonly record struct FleetKey(FleetKeyKind Kind, UInt128 High, UInt128 Low)
{
    /// <summary>The key of a registered peer.</summary>
    public static FleetKey OfPeer(PeerId peer) => new(FleetKeyKind.Peer, peer.High, peer.Low);

    /// <summary>The key of one side of a channel.</summary>
    public static FleetKey OfSide(ChannelTag channel, bool isInitiator) =>
        new(isInitiator ? FleetKeyKind.InitiatorSide : FleetKeyKind.ResponderSide, channel.Value, 0);
}
