using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>Moves datagrams through networks and NATs, one network at a time, so that each NAT acts when the datagram is there.</summary>
public static class Routing
{
    /// <summary>
    /// A datagram is sent in <paramref name="zone"/>, or has come out of a NAT into it. Gives the network in which it crosses
    /// the wire and when it is on the other side; null when it is lost.
    /// </summary>
    public static Passage? Send(Instant now, Zone zone, Parcel parcel)
    {
        while (zone.Find(parcel.Destination) is null && zone.FindInner(parcel.Destination) is null)
        {
            if (zone.Gateway is not { } nat || parcel.Hops < 1)
                return null;
            if (nat.Outside.HasSameHost(parcel.Destination) && !nat.Behaviour.IsTransparent)
                return Hairpin(now, zone, nat, parcel);
            parcel = parcel with { Source = nat.Out(now, parcel.Source, parcel.Destination), Hops = parcel.Hops - 1 };
            zone = zone.Outside!;
        }

        parcel = parcel with { Hops = parcel.Hops - zone.Hops };
        return parcel.Hops < 0 ? null : new(now + zone.Delay, zone, parcel);
    }

    /// <summary>A datagram is on the other side of a network: the host that gets it, or the next part of its way.</summary>
    public static int? Arrive(Passage passage, out Passage? next)
    {
        next = null;
        (Instant now, Zone zone, Parcel parcel) = passage;
        if (zone.Find(parcel.Destination) is { } host)
            return host;
        if (zone.FindInner(parcel.Destination) is { } inner && parcel.Hops > 0)
            next = Enter(now, inner, parcel with { Hops = parcel.Hops - 1 });
        return null;
    }

    private static Passage? Enter(Instant now, Zone inner, Parcel parcel) =>
        inner.Gateway!.In(now, parcel.Source, parcel.Destination) is { } inside ? Send(now, inner, parcel with { Destination = inside }) : null;

    private static Passage? Hairpin(Instant now, Zone zone, VirtualNat nat, Parcel parcel) =>
        nat.Behaviour.Hairpins ? Enter(now, zone, parcel with { Source = nat.Out(now, parcel.Source, parcel.Destination) }) : null;
}
