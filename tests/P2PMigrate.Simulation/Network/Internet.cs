using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Simulation.Network;

/// <summary>
/// Pairs of peers, a direct route between the two of each pair and a route through a relay. Each peer sits behind a NAT
/// that maps one port whatever the destination, and lets in only what answers it (unless told otherwise). Peer 2n talks
/// to peer 2n + 1.
/// </summary>
public sealed class Internet
{
    public static readonly LocalInterface Socket = LocalInterface.Socket(0);
    public static readonly LocalInterface RelayChannel = LocalInterface.Relay(0);

    public static readonly PathAddress RelayPath = new(RelayChannel, Address("198.51.100.1:3478"));

    private readonly Nat[] _nats;
    private readonly Link[] _direct;
    private readonly Link[] _relay;
    private readonly List<(Instant At, byte[] Datagram)> _arrivals = [];

    public Internet(SeededGenerator generator, int peers)
    {
        _nats = [.. Enumerable.Range(1, peers).Select(number => new Nat(Address($"192.0.2.{number}:{number}000")))];
        _direct = [.. _nats.Select(_ => new Link(generator.Fork()))];
        _relay = [.. _nats.Select(_ => new Link(generator.Fork()))];
    }

    /// <summary>Is there a relay?</summary>
    public bool HasRelay { get; set; } = true;

    /// <summary>The other one of the pair.</summary>
    public static int CounterpartOf(int peer) => peer ^ 1;

    /// <summary>The direct link from a peer to the other.</summary>
    public Link Direct(int from) => _direct[from];

    /// <summary>The link from a peer to the other through the relay.</summary>
    public Link Relay(int from) => _relay[from];

    /// <summary>The NAT in front of a peer.</summary>
    public Nat NatOf(int peer) => _nats[peer];

    public void SetDirectUp(bool isUp) => Array.ForEach(_direct, link => link.IsUp = isUp);

    public void SetRelayUp(bool isUp) => Array.ForEach(_relay, link => link.IsUp = isUp);

    /// <summary>Applies faults to the direct route in both directions.</summary>
    public void SetDirectFaults(LinkFaults faults) => Array.ForEach(_direct, link => link.Faults = faults);

    /// <summary>Applies faults to the relayed route in both directions.</summary>
    public void SetRelayFaults(LinkFaults faults) => Array.ForEach(_relay, link => link.Faults = faults);

    /// <summary>From now on the direct routes of all pairs go through one bottleneck in each direction.</summary>
    public void ShareDirectBottleneck()
    {
        for (int peer = 2; peer < _direct.Length; peer++)
            _direct[peer].Bottleneck = _direct[peer % 2].Bottleneck;
    }

    /// <summary>
    /// A peer sends a datagram: when the other gets it, and from where it seems to come. The list is valid until the next call.
    /// </summary>
    public List<(Instant At, byte[] Datagram)> Send(Instant now, int from, PathAddress path, byte[] datagram, out PathAddress arrival)
    {
        _arrivals.Clear();
        Nat own = _nats[from], other = _nats[CounterpartOf(from)];
        arrival = path == RelayPath ? RelayPath : new(Socket, own.External);
        if (path == RelayPath)
        {
            if (HasRelay)
                _relay[from].Carry(now, datagram, _arrivals);
            return _arrivals;
        }

        own.NoteSent(path.Remote);
        if (path.Local == Socket && path.Remote == other.External)
            _direct[from].Carry(now, datagram, _arrivals);
        if (!other.LetsIn(arrival.Remote))
            _arrivals.Clear();
        return _arrivals;
    }

    public static NetworkAddress Address(string text) => NetworkAddress.From(IPEndPoint.Parse(text));
}

/// <summary>A NAT with one mapping.</summary>
public sealed class Nat(NetworkAddress external)
{
    private readonly HashSet<NetworkAddress> _sentTo = [];

    /// <summary>How the peer behind it looks from outside.</summary>
    public NetworkAddress External { get; private set; } = external;

    /// <summary>Does it let in only what answers something?</summary>
    public bool IsFiltering { get; set; } = true;

    public void NoteSent(NetworkAddress remote) => _sentTo.Add(remote);

    public bool LetsIn(NetworkAddress source) => !IsFiltering || _sentTo.Contains(source);

    /// <summary>The mapping is lost; the next packet gets another port.</summary>
    public void Rebind(NetworkAddress? external = null)
    {
        External = external ?? External.WithPort((ushort)(External.Port + 1));
        _sentTo.Clear();
    }
}
