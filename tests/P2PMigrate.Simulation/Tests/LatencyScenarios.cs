using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

/// <summary>
/// How long somebody waits for an answer of 4 KiB while a bulk stream fills the path, above what the same takes on the idle
/// path. Time is virtual, and the bars are those of the product.
/// </summary>
public sealed class LatencyScenarios(ITestOutputHelper output)
{
    private const int Bytes = 4096;
    private const int Count = 1000;
    private const double Megabits = 100;
    private const double PayloadShare = (1452 - 16 - 16 - 8) / 1452.0;

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(13.7);

    // spec: REC-41, REC-44, REC-45, REC-46
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(10, 0, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(10, 1, 0)]
    [InlineData(1, 0, 1)]
    [InlineData(10, 0, 1)]
    [InlineData(10, 1, 1)]
    public void Answers_come_soon_while_bulk_fills_the_path_however_irregular_the_path_and_the_machines_are(double queueInRoundTrips, double jitter, double lateness)
    {
        using World world = new(10, new WorldOptions
        {
            HasRelay = false, StartsDirect = true, Slot = TimeSpan.FromMilliseconds(lateness), RecoveryOf = _ => new() { DirectPaths = CongestionControl.Bbr },
        });
        LinkFaults path = LinkFaults.Bottleneck(Megabits, TimeSpan.FromMilliseconds(20), queueInRoundTrips);
        world.Internet.SetDirectFaults(path with { Jitter = TimeSpan.FromMilliseconds(jitter), KeepsOrder = true });
        double idle = Ask(world, Count / 10)[Count / 20];

        IncomingStream bulk = world.Responder.Expect(world.Initiator.Open(StreamClass.Bulk, long.MaxValue));
        world.RunFor(TimeSpan.FromSeconds(3));
        (Instant start, ulong before) = (world.Now, bulk.Received);
        double[] times = Ask(world, Count);
        double share = (bulk.Received - before + Count * Bytes) / (Megabits * 125_000 * PayloadShare * (world.Now - start).TotalSeconds);
        output.WriteLine($"idle {idle:F1} ms; in bulk median {times[Count / 2]:F1} ms, p90 {times[Count * 9 / 10]:F1} ms, p99 {times[Count * 99 / 100]:F1} ms, longest {times[^1]:F1} ms; all bytes {share:F3}");
        Assert.InRange(times[Count / 2] - idle, 0, 5);
        Assert.InRange(times[Count * 99 / 100] - idle, 0, 20);
        Assert.InRange(share, 0.9, 1.01);
    }

    /// <summary>Asks so often; the times in milliseconds, shortest first.</summary>
    private static double[] Ask(World world, int count)
    {
        Questions questions = new(world, world.Initiator, Bytes);
        questions.Schedule(s_interval, count);
        Assert.True(world.RunUntil(
            () =>
            {
                questions.Look();
                return questions.Times.Count == count;
            },
            s_interval * count + TimeSpan.FromSeconds(5)));
        return [.. questions.Times.Select(time => time.TotalMilliseconds).Order()];
    }
}
