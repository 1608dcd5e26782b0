using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Simulation.Network;

/// <summary>A host of a <see cref="NatWorld"/>: its sockets, and what is true of the NATs before it.</summary>
public sealed class NatHost
{
    private const ushort FirstPort = 40_000;

    private readonly Dictionary<LocalInterface, ushort> _ports = [];
    private readonly NetworkAddress _address;
    private ushort _nextPort;
    private int _eventsSeen;

    private NatHost(Zone zone, NetworkAddress address, int index)
    {
        (Zone, _address) = (zone, address);
        _nextPort = (ushort)(FirstPort + 7919 * index);
        zone.Add(address, index);
        SourceOf(Internet.Socket);
    }

    /// <summary>The network that it is in.</summary>
    public Zone Zone { get; }

    /// <summary>Its own addresses, as it would announce them.</summary>
    public IReadOnlyList<NetworkAddress> Own => [_address.WithPort(_ports[Internet.Socket])];

    /// <summary>Where the server saw it last.</summary>
    public NetworkAddress Reflexive { get; private set; }

    /// <summary>Sockets that are open.</summary>
    public int Sockets => _ports.Count;

    /// <summary>What a perfect test of the NATs would find.</summary>
    public NatProfile Profile
    {
        get
        {
            List<NatBehaviour> chain = [.. Gateways().Select(nat => nat.Behaviour)];
            List<NatBehaviour> translating = chain.FindAll(nat => !nat.IsTransparent);
            NatBehaviour? allocating = translating.FindLast(nat => nat.Allocation != PortAllocation.Preserving);
            return new NatProfile
            {
                Mapping = translating.Count == 0 ? NatMapping.EndpointIndependent : translating.Max(nat => nat.Mapping),
                Filtering = chain.Count == 0 ? NatFiltering.EndpointIndependent : chain.Max(nat => nat.Filtering),
                Allocation = allocating?.Allocation ?? PortAllocation.Preserving,
                Step = allocating?.Allocation == PortAllocation.Sequential ? allocating.Step : (short)0,
                LowestPort = allocating?.Allocation == PortAllocation.Block ? allocating.Block.Low : (ushort)0,
                HighestPort = allocating?.Allocation == PortAllocation.Block ? allocating.Block.High : (ushort)0,
                Newest = Reflexive,
            };
        }
    }

    /// <summary>A new host behind new NATs, the innermost first, in <paramref name="outside"/>.</summary>
    public static NatHost Behind(Zone outside, IReadOnlyList<NatBehaviour> nats, int index, SeededGenerator generator)
    {
        Zone zone = outside;
        for (int i = nats.Count - 1; i >= 0; i--)
        {
            string address = zone.Gateway is null ? $"192.0.2.{10 + index}:1" : $"100.64.{index}.{10 + i}:1";
            zone = zone.Behind(new VirtualNat(nats[i], Internet.Address(address), generator.Fork()));
        }

        bool isPublic = zone.Gateway is null || (nats.Count > 0 && nats[0].IsTransparent);
        return new NatHost(zone, Internet.Address(isPublic ? $"192.0.2.{50 + index}:1" : $"10.{index}.0.2:1"), index);
    }

    /// <summary>A new host in a network that is there already.</summary>
    public static NatHost In(Zone zone, int index) => new(zone, Internet.Address($"10.0.0.{20 + index}:1"), index);

    /// <summary>The server looks: its view of the endpoint's own socket.</summary>
    public void Observe(Instant now, NetworkAddress server) => Reflexive = ObserveSocket(now, server, Internet.Socket);

    /// <summary>The server's view of any of its sockets.</summary>
    public NetworkAddress ObserveSocket(Instant now, NetworkAddress server, LocalInterface socket)
    {
        NetworkAddress address = SourceOf(socket);
        foreach (VirtualNat nat in Gateways())
            address = nat.Out(now, address, server);
        return address;
    }

    /// <summary>The inside address of a socket, which is opened if it is not.</summary>
    public NetworkAddress SourceOf(LocalInterface socket)
    {
        if (!_ports.TryGetValue(socket, out ushort port))
            _ports.Add(socket, port = _nextPort++);
        return _address.WithPort(port);
    }

    /// <summary>The socket with this address, if it is open.</summary>
    public LocalInterface? SocketAt(NetworkAddress address)
    {
        foreach ((LocalInterface socket, ushort port) in _ports)
        {
            if (port == address.Port)
                return socket;
        }

        return null;
    }

    /// <summary>Closes the sockets that the connection has released; gives the one that it asks for.</summary>
    public LocalInterface? FollowReleases(List<TunnelEvent> events)
    {
        LocalInterface? wanted = null;
        for (; _eventsSeen < events.Count; _eventsSeen++)
        {
            if (events[_eventsSeen] is FreshSocketWanted wish)
                wanted = wish.Socket;
            if (events[_eventsSeen] is not SocketsReleased released)
                continue;
            foreach (LocalInterface socket in _ports.Keys.Where(socket => socket != Internet.Socket && !released.Kept.Contains(socket)).ToList())
                _ports.Remove(socket);
        }

        return wanted;
    }

    // The innermost first.
    private IEnumerable<VirtualNat> Gateways()
    {
        for (Zone? zone = Zone; zone?.Gateway is { } nat; zone = zone.Outside)
            yield return nat;
    }
}
