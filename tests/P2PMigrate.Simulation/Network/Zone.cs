using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Simulation.Network;

/// <summary>
/// A network in which every address reaches every other: the internet, or what is behind a <see cref="VirtualNat"/>. What is for
/// nobody here leaves by the gateway.
/// </summary>
public sealed class Zone(TimeSpan delay, VirtualNat? gateway = null, Zone? outside = null, int hops = 0)
{
    private readonly Dictionary<NetworkAddress, int> _hosts = [];
    private readonly List<Zone> _inner = [];

    /// <summary>The way from one member to another.</summary>
    public TimeSpan Delay => delay;

    /// <summary>Routers on that way.</summary>
    public int Hops => hops;

    /// <summary>What stands between this network and the next one out.</summary>
    public VirtualNat? Gateway => gateway;

    /// <summary>The next network out.</summary>
    public Zone? Outside => outside;

    /// <summary>A network behind a NAT that has an address in this one.</summary>
    public Zone Behind(VirtualNat nat)
    {
        var inner = new Zone(TimeSpan.FromMilliseconds(0.5), nat, this);
        _inner.Add(inner);
        return inner;
    }

    /// <summary>A host of this network; the ports are its own.</summary>
    public void Add(NetworkAddress address, int host) => _hosts.Add(address.WithPort(0), host);

    /// <summary>The host with this address here, if there is one.</summary>
    public int? Find(NetworkAddress address) => _hosts.TryGetValue(address.WithPort(0), out int host) ? host : null;

    /// <summary>The network behind the NAT that has this address here; behind a mere firewall, the one with that host.</summary>
    public Zone? FindInner(NetworkAddress address) =>
        _inner.Find(inner => inner.Gateway!.Behaviour.IsTransparent ? inner.Find(address) is not null : inner.Gateway.Outside.HasSameHost(address));
}

/// <summary>A datagram on its way.</summary>
public readonly record struct Parcel(NetworkAddress Source, NetworkAddress Destination, byte[] Bytes, int Hops);

/// <summary>Where a datagram arrives next: in a network, from which it goes on, or at the host that it is for.</summary>
public readonly record struct Passage(Instant At, Zone Zone, Parcel Parcel);
