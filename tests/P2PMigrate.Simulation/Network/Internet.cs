using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Simulation.Network;

/// <summary>
/// Two peers, a direct route between them and a route through a relay. Each peer sits behind a NAT that maps one port
/// whatever the destination, and lets in only what answers it (unless told otherwise).
/// </summary>
public sealed class Internet
{
    public static readonly LocalInterface Socket = LocalInterface.Socket(0);
    public static readonly LocalInterface RelayChannel = LocalInterface.Relay(0);

    public static readonly PathAddress RelayPath = new(RelayChannel, Address("198.51.100.1:3478"));

    private readonly Nat[] _nats = [new(Address("192.0.2.1:1000")), new(Address("192.0.2.2:2000"))];
    private readonly Link[] _direct;
    private readonly Link[] _relay;

    public Internet(SeededGenerator generator)
    {
        _direct = [new(generator.Fork()), new(generator.Fork())];
        _relay = [new(generator.Fork()), new(generator.Fork())];
    }

    /// <summary>Is there a relay?</summary>
    public bool HasRelay { get; set; } = true;

    /// <summary>The direct link from a peer to the other.</summary>
    public Link Direct(int from) => _direct[from];

    /// <summary>The link from a peer to the other through the relay.</summary>
    public Link Relay(int from) => _relay[from];

    /// <summary>The NAT in front of a peer.</summary>
    public Nat NatOf(int peer) => _nats[peer];

    public void SetDirectUp(bool isUp) => _direct[0].IsUp = _direct[1].IsUp = isUp;

    public void SetRelayUp(bool isUp) => _relay[0].IsUp = _relay[1].IsUp = isUp;

    /// <summary>Applies faults to the direct route in both directions.</summary>
    public void SetDirectFaults(LinkFaults faults) => _direct[0].Faults = _direct[1].Faults = faults;

    /// <summary>Applies faults to the relayed route in both directions.</summary>
    public void SetRelayFaults(LinkFaults faults) => _relay[0].Faults = _relay[1].Faults = faults;

    /// <summary>A peer sends a datagram: when the other gets it, and from where it seems to come.</summary>
    public IEnumerable<(Instant At, PathAddress Path, byte[] Datagram)> Send(Instant now, int from, PathAddress path, byte[] datagram)
    {
        if (path == RelayPath)
            return HasRelay ? _relay[from].Carry(now, datagram).Select(copy => (copy.At, RelayPath, copy.Datagram)) : [];
        Nat own = _nats[from], other = _nats[1 - from];
        own.NoteSent(path.Remote);
        if (path.Local != Socket || path.Remote != other.External)
            return [];
        PathAddress arrival = new(Socket, own.External);
        return _direct[from].Carry(now, datagram).Where(_ => other.LetsIn(arrival.Remote))
            .Select(copy => (copy.At, arrival, copy.Datagram)).ToList();
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
