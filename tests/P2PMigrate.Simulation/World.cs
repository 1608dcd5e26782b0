using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation;

/// <summary>
/// Two peers after their handshake (or several pairs of them), the network between them, and a clock that jumps from one
/// thing that happens to the next. The same seed and the same script give the same run, byte for byte.
/// </summary>
public sealed class World : IDisposable
{
    private readonly PriorityQueue<Happening, (long At, long Order)> _happenings = new();
    private readonly byte[] _buffer = new byte[TunnelConnection.MaxDatagramSize];
    private long _order;

    public World(ulong seed, WorldOptions? options = null)
    {
        Options = options ?? new WorldOptions();
        Random = new SeededGenerator(seed);
        Internet = new Internet(Random.Fork(), 2 * Options.Pairs) { HasRelay = Options.HasRelay };
        Internet.SetDirectUp(Options.IsDirectUp);
        Peers = [.. Enumerable.Range(0, 2 * Options.Pairs).Select(Create)];
        foreach (Peer peer in Peers)
            Drain(peer);
    }

    public WorldOptions Options { get; }

    public SeededGenerator Random { get; }

    public Internet Internet { get; }

    public Instant Now { get; private set; } = new(1_000_000_000);

    public Peer[] Peers { get; }

    public Peer Initiator => Peers[0];

    public Peer Responder => Peers[1];

    /// <summary>The peer that this one talks to.</summary>
    public Peer CounterpartOf(Peer peer) => Peers[Internet.CounterpartOf(peer.Index)];

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Looks at every datagram before it is sent; may swallow it by returning false.</summary>
    public Func<int, Transmit, bool>? Tap { get; set; }

    /// <summary>Somebody on the way may send a datagram to a peer on from another address, which arrives before the original.</summary>
    public Func<int, byte[], PathAddress?>? Hijack { get; set; }

    /// <summary>Does something at a later time.</summary>
    public void At(TimeSpan delay, Action action) => Plan(Now + delay, new(-1, default, default, null, action));

    /// <summary>Runs until the condition holds; false when so much time passes first.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        Instant end = Now + limit;
        Act();
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

    /// <summary>Runs for so long.</summary>
    public void RunFor(TimeSpan duration) => RunUntil(() => false, duration);

    /// <summary>After a wish was made on a connection from outside: lets everything it caused happen.</summary>
    public void Act()
    {
        foreach (Peer peer in Peers)
            Drain(peer);
    }

    public void Dispose()
    {
        foreach (Peer peer in Peers)
            peer.Connection.Dispose();
    }

    private Instant? NextAt()
    {
        Instant? next = _happenings.TryPeek(out _, out (long At, long) first) ? new Instant(first.At) : null;
        foreach (Peer peer in Peers)
        {
            if (!peer.IsDead && peer.Connection.NextTimeout is { } due && !(next <= Awake(due)))
                next = Awake(due);
        }

        return next;
    }

    private void Step(Instant next)
    {
        Steps++;
        Now = Instant.Max(Now, next);
        if (_happenings.TryPeek(out Happening happening, out (long At, long) first) && first.At <= Now.Nanoseconds)
        {
            _happenings.Dequeue();
            Happen(happening);
        }

        foreach (Peer peer in Peers)
        {
            if (peer.IsDead || peer.Connection.NextTimeout is not { } due || Awake(due) > Now)
                continue;
            peer.Connection.HandleTimeout(Now);
            Drain(peer);
            Checks.AfterTimeout(this, peer);
        }
    }

    private void Happen(Happening happening)
    {
        if (happening.Datagram is { } datagram)
        {
            if (happening.Path != Internet.RelayPath && Internet.NatOf(happening.To).External != happening.SentTo)
                return; // The mapping was lost while the datagram was on its way.
            if (Hijack?.Invoke(happening.To, datagram) is { } falsePath)
                Peers[happening.To].Connection.HandleDatagram(Now, falsePath, datagram);
            if (!Peers[happening.To].IsDead)
                Peers[happening.To].Connection.HandleDatagram(Now, happening.Path, datagram);
            Drain(Peers[happening.To]);
            return;
        }

        happening.Action?.Invoke();
        Act();
    }

    /// <summary>One mutation has happened: everything the connection wants is done before the next one.</summary>
    private void Drain(Peer peer)
    {
        if (peer.IsDead)
            return;
        bool isBusy = true;
        for (int i = 0; isBusy; i++)
        {
            Checks.That(i < 10_000, "Draining does not come to an end.");
            peer.DrainEvents();
            if (isBusy = peer.Connection.TryPollTransmit(Now, _buffer, out Transmit transmit))
                Send(peer, transmit);
            isBusy |= peer.Connection.PendingEvents > 0;
        }

        Checks.AfterDrain(this, peer);
    }

    private void Send(Peer peer, Transmit transmit)
    {
        if (Tap?.Invoke(peer.Index, transmit) == false)
            return;
        byte[] datagram = _buffer.AsSpan(0, transmit.Length).ToArray();
        foreach ((Instant at, byte[] copy) in Internet.Send(Now, peer.Index, transmit.Path, datagram, out PathAddress arrival))
            Plan(Awake(at), new(Internet.CounterpartOf(peer.Index), arrival, transmit.Path.Remote, copy, null));
    }

    private void Plan(Instant at, Happening happening) => _happenings.Enqueue(happening, (at.Nanoseconds, _order++));

    private Peer Create(int index)
    {
        int counterpart = Internet.CounterpartOf(index);
        NetworkAddress remote = Internet.NatOf(counterpart).External;
        List<KnownPath> known = [];
        if (Options.HasRelay)
            known.Add(new(Internet.RelayPath, IsRemoteProven: true));
        if (Options.StartsDirect)
            known.Insert(0, new(new(Internet.Socket, remote), IsRemoteProven: index % 2 == 0));
        TunnelConnectionOptions options = new()
        {
            Role = (ConnectionRole)(index % 2),
            Keys = new CheckedKeys(SecretOf(index), SecretOf(counterpart)),
            LocalConnectionId = new ConnectionId((ulong)index + 100),
            RemoteConnectionId = new ConnectionId((ulong)counterpart + 100),
            Entropy = new SeededEntropy(Random.Fork()),
            LocalParameters = Options.Parameters,
            PeerParameters = Options.Parameters,
            Sockets = [new(Internet.Socket, ReachesIPv4: true, ReachesIPv6: false)],
            RemoteCandidates = Options.KnowsCandidates ? [new(CandidateKind.Reflexive, remote)] : [],
            KnownPaths = known,
            KeyUpdate = Options.KeyUpdate,
            SendBufferLimit = Options.SendBufferLimit,
            Recovery = Options.RecoveryOf(index),
        };
        return new Peer(index, new TunnelConnection(options, Now));
    }

    private Instant Awake(Instant at)
    {
        long slot = Options.Slot.Ticks * TimeSpan.NanosecondsPerTick;
        return slot == 0 || at == Instant.Never ? at : new((at.Nanoseconds + slot - 1) / slot * slot);
    }

    private static ulong SecretOf(int peer) => 0x1111 * (ulong)(peer + 1);

    private readonly record struct Happening(int To, PathAddress Path, NetworkAddress SentTo, byte[]? Datagram, Action? Action);
}

/// <summary>How the world begins.</summary>
public sealed record WorldOptions
{
    public bool HasRelay { get; init; } = true;

    public bool IsDirectUp { get; init; } = true;

    /// <summary>Was the handshake made over the direct route?</summary>
    public bool StartsDirect { get; init; }

    /// <summary>Did the peers tell each other their addresses in the handshake?</summary>
    public bool KnowsCandidates { get; init; } = true;

    public TransportParameters Parameters { get; init; } = new();

    public KeyUpdateOptions KeyUpdate { get; init; } = new();

    public int SendBufferLimit { get; init; } = 64 << 20;

    /// <summary>A busy machine: peers hear and act only at multiples of this. Zero: at once.</summary>
    public TimeSpan Slot { get; init; }

    /// <summary>Pairs of peers; each has a session of its own.</summary>
    public int Pairs { get; init; } = 1;

    /// <summary>What each peer's loss recovery and congestion control is like.</summary>
    public Func<int, RecoveryOptions> RecoveryOf { get; init; } = _ => new();
}
