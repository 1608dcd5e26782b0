using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation;

/// <summary>
/// One random run: faulty links, streams in both directions that are written, read slowly, reset or refused, paths that
/// vanish and come back, NATs that change ports, keys that change often. In the end everything that was promised has
/// arrived and both sides know why the session is over.
/// </summary>
public sealed class RandomScript(ulong seed)
{
    /// <summary>Faults may last this long; after it the network is only lossy.</summary>
    public static readonly TimeSpan Turbulence = TimeSpan.FromSeconds(20);

    /// <summary>Everything has to be delivered by then.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    private readonly SeededGenerator _random = new(seed ^ 0xA5A5_5A5A);

    /// <summary>Runs the script; throws with a sentence when something does not hold.</summary>
    public World Run()
    {
        World world = new(seed, PickOptions());
        world.Internet.SetDirectFaults(LinkFaults.Random(_random));
        world.Internet.SetRelayFaults(LinkFaults.Random(_random));
        PlanStreams(world);
        PlanTurbulence(world);
        Checks.That(world.RunUntil(() => IsEverythingDelivered(world), Deadline), () => Describe(world, "Not everything was delivered in time."));
        CheckStreams(world);
        CloseOrderly(world);
        return world;
    }

    private WorldOptions PickOptions()
    {
        bool hasRelay = _random.Chance(0.7);
        ClassLimits tight = new(StreamWindow: (ulong)_random.Between(1_000, 20_000), ClassWindow: (ulong)_random.Between(2_000, 40_000), Streams: 4);
        return new()
        {
            HasRelay = hasRelay,
            IsDirectUp = !hasRelay || _random.Chance(0.8),
            StartsDirect = !hasRelay && _random.Chance(0.5),
            Parameters = _random.Chance(0.5) ? new() : new() { Control = tight, Urgent = tight, Bulk = tight },
            KeyUpdate = _random.Chance(0.5) ? new() : new() { AfterPackets = (ulong)_random.Between(20, 200) },
            SendBufferLimit = _random.Chance(0.5) ? 4 << 20 : _random.Between(1_000, 50_000),
        };
    }

    private void PlanStreams(World world)
    {
        foreach (Peer peer in world.Peers)
        {
            SeededGenerator random = _random.Fork();
            for (int i = random.Between(0, 6); i > 0; i--)
                world.At(random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), () => TryOpen(random, peer));
            world.At(TimeSpan.FromMilliseconds(5), () => Answer(world, random, peer, answered: 0));
            if (random.Chance(0.3))
                PauseReading(world, random, peer);
        }
    }

    private static void TryOpen(SeededGenerator random, Peer peer)
    {
        StreamClass streamClass = (StreamClass)random.Between(0, 3);
        long length = random.Chance(0.1) ? random.Between(0, 200_000) : random.Between(0, 5_000);
        ulong? resetAt = random.Chance(0.15) ? (ulong)random.Between(0, 5_000) : null;
        ulong stopAfter = random.Chance(0.1) ? (ulong)random.Between(0, 5_000) : ulong.MaxValue;
        if (peer.Connection.TryOpenStream(streamClass, out StreamId id))
        {
            peer.Expect(id).StopAfter = stopAfter;
            peer.Send(id, length, resetAt);
        }
    }

    // Whoever accepts a stream writes into its other direction too.
    private static void Answer(World world, SeededGenerator random, Peer peer, int answered)
    {
        for (; answered < peer.Accepted.Count; answered++)
        {
            if (random.Chance(0.1))
                peer.Expect(peer.Accepted[answered]).StopAfter = (ulong)random.Between(0, 3_000);
            peer.Send(peer.Accepted[answered], random.Between(0, 3_000), random.Chance(0.1) ? (ulong)random.Between(0, 3_000) : null);
        }

        int next = answered;
        if (peer.Closed is null)
            world.At(TimeSpan.FromMilliseconds(50), () => Answer(world, random, peer, next));
    }

    private static void PauseReading(World world, SeededGenerator random, Peer peer)
    {
        world.At(random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), () => peer.IsReading = false);
        world.At(random.Between(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5)), () =>
        {
            peer.IsReading = true;
            peer.ReadAll();
        });
    }

    private void PlanTurbulence(World world)
    {
        SeededGenerator random = _random.Fork();
        if (random.Chance(0.2))
            Rebind(world, random);
        else if (!world.Options.HasRelay)
            return;
        else if (random.Chance(0.4))
            Interrupt(world, random, world.Internet.SetDirectUp);
        else if (world.Options.IsDirectUp && random.Chance(0.3))
            Interrupt(world, random, world.Internet.SetRelayUp);
    }

    // Without a relay the other side has to let the new port in, or the session is really over.
    private static void Rebind(World world, SeededGenerator random)
    {
        int moved = random.Between(0, 2);
        world.Internet.NatOf(1 - moved).IsFiltering &= world.Options.HasRelay;
        world.At(random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)), () => world.Internet.NatOf(moved).Rebind());
    }

    private static void Interrupt(World world, SeededGenerator random, Action<bool> setUp)
    {
        TimeSpan from = random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3));
        world.At(from, () => setUp(false));
        if (random.Chance(0.7))
            world.At(from + random.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5)), () => setUp(true));
    }

    private static bool IsEverythingDelivered(World world)
    {
        Checks.That(world.Peers.All(peer => peer.Closed is null), () => Describe(world, "The session ended by itself."));
        return world.Now > new Instant(1_000_000_000) + TimeSpan.FromSeconds(5.5)
            && world.Peers.All(peer => peer.Accepted.All(peer.Outgoing.ContainsKey))
            && world.Peers.All(peer => peer.Outgoing.Values.All(stream => IsDelivered(stream, world.CounterpartOf(peer))));
    }

    private static bool IsDelivered(OutgoingStream sent, Peer reader) =>
        reader.Incoming.TryGetValue(sent.Id, out IncomingStream? received) && (received.IsEnded || received.IsStopped);

    private static void CheckStreams(World world)
    {
        foreach (Peer writer in world.Peers)
        {
            foreach (OutgoingStream sent in writer.Outgoing.Values)
            {
                IncomingStream received = world.CounterpartOf(writer).Incoming[sent.Id];
                Checks.That(!received.IsFinished || received.IsStopped || received.Received == sent.Length, () => $"Stream {sent.Id} ended at {received.Received}, not {sent.Length}.");
                Checks.That(!received.IsFinished || !sent.WasReset || received.IsStopped, () => $"Stream {sent.Id} was reset and yet ended well.");
                Checks.That(!received.IsReset || sent.WasReset || received.IsStopped, () => $"Stream {sent.Id} came as reset and was not.");
            }
        }
    }

    private void CloseOrderly(World world)
    {
        Peer closer = world.Peers[_random.Between(0, 2)];
        closer.Connection.Close(world.Now, 0x123, "the script is over", flush: _random.Chance(0.5));
        Checks.That(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), TimeSpan.FromSeconds(30)), "The session does not terminate.");
        foreach (Peer peer in world.Peers)
        {
            Checks.That(peer.Closed is { Code: 0x123, Text: "the script is over" } || peer.Closed is { IsLost: true }, () => $"The reason is wrong: {peer.Closed}");
            Checks.That(peer != closer || peer.Closed is { ByPeer: false, IsLost: false }, "The closer's own reason counts.");
        }
    }

    private static string Describe(World world, string sentence) => $"{sentence} {world.Now}; " + string.Join("; ", world.Peers.Select(peer =>
        $"{peer.Index}: {peer.Connection.PrimaryPath} {peer.Closed} {peer.Connection.Statistics} late: "
        + string.Join(", ", peer.Outgoing.Values.Where(stream => !IsDelivered(stream, world.CounterpartOf(peer))).Select(stream =>
            $"{stream.Id} {stream.Length} {stream.IsEnded} {stream.WasReset} {stream.WasStopped}"))));
}
