using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation;

/// <summary>
/// Two peers behind NATs of any kind, a rendezvous server that sees and relays them, and a clock that jumps. The responder begins
/// when the offer reaches it, the initiator when the answer is back. The same seed gives the same run.
/// </summary>
public sealed class NatWorld : IDisposable
{
    private static readonly NetworkAddress s_server = Internet.Address("198.51.100.1:3478");

    private readonly PriorityQueue<Action, (long At, long Order)> _happenings = new();
    private readonly byte[] _buffer = new byte[TunnelConnection.MaxDatagramSize];
    private readonly NatWorldOptions _options;
    private readonly SeededGenerator _generator;
    private readonly NatHost[] _hosts;
    private readonly Peer?[] _peers = new Peer?[2];
    private readonly Link[] _relay;
    private long _order;

    public NatWorld(ulong seed, NatWorldOptions options)
    {
        _options = options;
        _generator = new SeededGenerator(seed);
        _relay = [new Link(_generator.Fork()), new Link(_generator.Fork())];
        var internet = new Zone(options.Delay, hops: options.Hops);
        Zone common = options.Common is { } shared ? internet.Behind(new VirtualNat(shared, Internet.Address("203.0.113.9:1"), _generator.Fork())) : internet;
        _hosts = [NatHost.Behind(common, options.First, 0, _generator), NatHost.Behind(common, options.Second, 1, _generator)];
        if (options.AreNeighbours)
            _hosts[1] = NatHost.In(_hosts[0].Zone, 1);
        foreach (NatHost host in _hosts)
            Refresh(host);
        Plan(Now, () => Begin(1));
        Plan(Now + options.RelayDelay, () => Begin(0));
    }

    public Instant Now { get; private set; } = new(1_000_000_000);

    public Peer Initiator => _peers[0]!;

    public Peer Responder => _peers[1]!;

    /// <summary>The two ends, by number.</summary>
    public IReadOnlyList<NatHost> Hosts => _hosts;

    /// <summary>Looks at every direct datagram before it is sent; may swallow it by returning false.</summary>
    public Func<int, Transmit, bool>? Tap { get; set; }

    /// <summary>How often a peer has asked for another socket.</summary>
    public int FreshSockets { get; private set; }

    /// <summary>Something that means nothing comes from one peer's socket to where the server sees the other one.</summary>
    public void SendUnasked(int from) =>
        Follow(Routing.Send(Now, _hosts[from].Zone, new Parcel(_hosts[from].SourceOf(Internet.Socket), _hosts[1 - from].Reflexive, [0], Hops: 64)));

    /// <summary>Has data of both peers taken a direct path?</summary>
    public bool IsDirect => _peers.All(peer => peer?.PathKind == PathKind.Direct);

    /// <summary>Can both peers send data?</summary>
    public bool IsConnected => _peers.All(peer => peer?.PathKind is not null);

    /// <summary>Runs until the condition holds; false when so much time passes first.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        Instant end = Now + limit;
        while (!condition())
        {
            if (NextAt() is not { } next || next > end)
            {
                Now = end;
                return false;
            }

            Step(next);
        }

        return true;
    }

    public void RunFor(TimeSpan duration) => RunUntil(() => false, duration);

    /// <summary>Does something at a later time.</summary>
    public void At(TimeSpan delay, Action action) => Plan(Now + delay, action);

    /// <summary>Lets everything happen that wishes from outside have caused.</summary>
    public void Act()
    {
        for (int host = 0; host < _peers.Length; host++)
            Drain(host);
    }

    public void Dispose()
    {
        foreach (Peer? peer in _peers)
            peer?.Connection.Dispose();
    }

    private Instant? NextAt()
    {
        Instant? next = _happenings.TryPeek(out _, out (long At, long) first) ? new Instant(first.At) : null;
        foreach (Peer? peer in _peers)
        {
            if (peer?.Connection.NextTimeout is { } due && !(next <= due))
                next = due;
        }

        return next;
    }

    private void Step(Instant next)
    {
        Now = Instant.Max(Now, next);
        if (_happenings.TryPeek(out Action? happening, out (long At, long) first) && first.At <= Now.Nanoseconds)
        {
            _happenings.Dequeue();
            happening();
        }

        for (int host = 0; host < _peers.Length; host++)
        {
            if (_peers[host]?.Connection.NextTimeout is not { } due || due > Now)
                continue;
            _peers[host]!.Connection.HandleTimeout(Now);
            Drain(host);
            Checks.That(!(_peers[host]!.Connection.NextTimeout <= Now), () => $"A timeout was handled and is still due: {_peers[host]!.Connection.Timers}.");
        }
    }

    private void Drain(int host)
    {
        if (_peers[host] is not { } peer)
            return;
        bool isBusy = true;
        for (int i = 0; isBusy; i++)
        {
            Checks.That(i < 10_000, "Draining does not come to an end.");
            peer.DrainEvents();
            if (_hosts[host].FollowReleases(peer.Events) is { } wanted)
                OpenFresh(host, wanted);
            isBusy = peer.Connection.TryPollTransmit(Now, _buffer, out Transmit transmit);
            if (isBusy)
                Send(host, transmit);
        }

        Checks.That(peer.Connection.Agent.Pairs.Count <= PairTable.MaxPairs, "There are too many pairs.");
    }

    private void Send(int host, in Transmit transmit)
    {
        byte[] datagram = _buffer.AsSpan(0, transmit.Length).ToArray();
        if (transmit.Path.Kind == PathKind.Relay)
        {
            SendRelayed(host, transmit.Path, datagram);
            return;
        }

        if (Tap?.Invoke(host, transmit) == false || _generator.Chance(_options.Loss))
            return;
        var parcel = new Parcel(_hosts[host].SourceOf(transmit.Path.Local), transmit.Path.Remote, datagram, Hops: transmit.HopLimit == 0 ? 64 : transmit.HopLimit);
        Follow(Routing.Send(Now, _hosts[host].Zone, parcel));
    }

    private void SendRelayed(int host, PathAddress path, byte[] datagram)
    {
        List<(Instant At, byte[] Datagram)> arrivals = [];
        _relay[host].Faults = new LinkFaults { Delay = _options.RelayDelay, Loss = _options.Loss };
        _relay[host].Carry(Now, datagram, arrivals);
        foreach ((Instant at, byte[] copy) in arrivals)
            Plan(at, () => Receive(1 - host, path, copy));
    }

    private void Follow(Passage? passage)
    {
        if (passage is not { } way)
            return;
        Plan(way.At, () =>
        {
            if (Routing.Arrive(way, out Passage? next) is not { } host)
                Follow(next);
            else if (_hosts[host].SocketAt(way.Parcel.Destination) is { } socket)
                Receive(host, new(socket, way.Parcel.Source), way.Parcel.Bytes);
        });
    }

    private void Receive(int host, PathAddress path, byte[] datagram)
    {
        _peers[host]?.Connection.HandleDatagram(Now, path, datagram);
        Drain(host);
    }

    // The registration keeps the mapping of the endpoint's own socket open, and shows the server where it is.
    private void Refresh(NatHost host)
    {
        host.Observe(Now, s_server);
        Plan(Now + TimeSpan.FromSeconds(20), () => Refresh(host));
    }

    private void Begin(int host)
    {
        NatHost other = _hosts[1 - host];
        var connection = new TunnelConnection(
            new TunnelConnectionOptions
            {
                Role = (ConnectionRole)host,
                Keys = new CheckedKeys(SecretOf(host), SecretOf(1 - host)),
                LocalConnectionId = new ConnectionId((ulong)host + 100),
                RemoteConnectionId = new ConnectionId((ulong)(1 - host) + 100),
                Entropy = new SeededEntropy(_generator.Fork()),
                Sockets = [new(Internet.Socket, ReachesIPv4: true, ReachesIPv6: false)],
                RemoteCandidates = [.. other.Own.Select(address => new Candidate(CandidateKind.Host, address))],
                KnownPaths = [new(Internet.RelayPath, IsRemoteProven: true)],
                LocalNat = _hosts[host].Profile,
                RemoteNat = _options.Claim ?? other.Profile,
                Punching = _options.IsPunching ? new PunchBudget() : null,
            },
            Now);
        if (_options.IsVouched)
            connection.AddVouchedCandidate(Now, other.Reflexive);
        else
            connection.AddRemoteCandidate(Now, new(CandidateKind.Reflexive, other.Reflexive));
        _peers[host] = new Peer(host, connection);
        Drain(host);
    }

    private void OpenFresh(int host, LocalInterface socket)
    {
        FreshSockets++;
        NetworkAddress seen = _hosts[host].ObserveSocket(Now, s_server, socket);
        Plan(Now + 2 * _options.Delay, () =>
        {
            _peers[host]!.Connection.AddFreshSocket(Now, socket, seen);
            Drain(host);
        });
    }

    private void Plan(Instant at, Action action) => _happenings.Enqueue(action, (at.Nanoseconds, _order++));

    private static ulong SecretOf(int peer) => 0x1111 * (ulong)(peer + 1);
}

/// <summary>How a <see cref="NatWorld"/> is made.</summary>
public sealed record NatWorldOptions
{
    /// <summary>The NATs before the initiator, the innermost first; none: it has a public address.</summary>
    public IReadOnlyList<NatBehaviour> First { get; init; } = [];

    /// <summary>The NATs before the responder.</summary>
    public IReadOnlyList<NatBehaviour> Second { get; init; } = [];

    /// <summary>A NAT of the provider's, before those of both peers.</summary>
    public NatBehaviour? Common { get; init; }

    /// <summary>Is the responder in the initiator's own network?</summary>
    public bool AreNeighbours { get; init; }

    /// <summary>Through the internet, one way.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Routers of the internet between the two sites.</summary>
    public int Hops { get; init; } = 3;

    /// <summary>Through the server, one way.</summary>
    public TimeSpan RelayDelay { get; init; } = TimeSpan.FromMilliseconds(30);

    public double Loss { get; init; }

    /// <summary>Does the server vouch for the addresses?</summary>
    public bool IsVouched { get; init; } = true;

    public bool IsPunching { get; init; } = true;

    /// <summary>What each peer says of its NAT instead of the truth.</summary>
    public NatProfile? Claim { get; init; }
}
