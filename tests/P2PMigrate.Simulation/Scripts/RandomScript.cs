using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Scripts;

/// <summary>
/// A script made from a seed: faulty links, streams in both directions that are written, read slowly, reset or refused,
/// paths that vanish and come back, NATs that change ports, keys that change often.
/// </summary>
public static class RandomScript
{
    /// <summary>The script of a seed; always the same.</summary>
    public static Script From(ulong seed)
    {
        SeededGenerator random = new(seed ^ 0xA5A5_5A5A);
        WorldOptions options = PickOptions(random);
        LinkFaults direct = LinkFaults.Random(random), relay = LinkFaults.Random(random);
        List<Operation> operations = [];
        for (int peer = 0; peer < 2; peer++)
            PlanStreams(operations, random.Fork(), peer);
        PlanTurbulence(operations, random.Fork(), options);
        return new(seed, options, direct, relay, [.. operations]) { Closer = random.Between(0, 2), Flushes = random.Chance(0.5) };
    }

    private static WorldOptions PickOptions(SeededGenerator random)
    {
        bool hasRelay = random.Chance(0.7);
        ClassLimits tight = new(StreamWindow: (ulong)random.Between(1_000, 20_000), ClassWindow: (ulong)random.Between(2_000, 40_000), Streams: 4);
        bool isCubic = random.Chance(0.3);
        return new()
        {
            HasRelay = hasRelay,
            IsDirectUp = !hasRelay || random.Chance(0.8),
            StartsDirect = !hasRelay && random.Chance(0.5),
            Parameters = random.Chance(0.5) ? new() : new() { Control = tight, Urgent = tight, Bulk = tight },
            KeyUpdate = random.Chance(0.5) ? new() : new() { AfterPackets = (ulong)random.Between(20, 200) },
            SendBufferLimit = random.Chance(0.5) ? 4 << 20 : random.Between(1_000, 50_000),
            RecoveryOf = _ => isCubic ? new() { DirectPaths = Protocol.Recovery.CongestionControl.Cubic } : new(),
        };
    }

    private static void PlanStreams(List<Operation> operations, SeededGenerator random, int peer)
    {
        for (int i = random.Between(0, 6); i > 0; i--)
        {
            TimeSpan at = random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2));
            operations.Add(new OpenStream(at, peer, (StreamClass)random.Between(0, 3), Flow.Random(random, 5_000), Flow.Random(random, 3_000)));
        }

        if (random.Chance(0.3))
            operations.Add(new PauseReading(random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), peer, random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(4))));
    }

    private static void PlanTurbulence(List<Operation> operations, SeededGenerator random, WorldOptions options)
    {
        TimeSpan at = random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3));
        TimeSpan? duration = random.Chance(0.7) ? random.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5)) : null;
        if (random.Chance(0.2))
            operations.Add(new Rebind(at, random.Between(0, 2)));
        else if (options.HasRelay && random.Chance(0.4))
            operations.Add(new CutRoute(at, IsRelay: false, duration));
        else if (options is { HasRelay: true, IsDirectUp: true } && random.Chance(0.3))
            operations.Add(new CutRoute(at, IsRelay: true, duration));
        if (random.Chance(0.3))
            operations.Add(new ChangeFaults(random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)), random.Chance(0.5), LinkFaults.Random(random)));
    }
}
