using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>4 KiB there and 4 KiB back on an urgent stream, on a fixed schedule (<see cref="QuestionSchedule"/>), while a bulk stream fills the link.</summary>
internal sealed class RequestsDuringBulk : IBehaviour
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(20);

    public string Name => "4 KiB requests during bulk";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using PeerPair peers = await PeerPair.StartAsync(network, "ask", s_time, cancellationToken);
        long start = ArrivalLog.Now;
        (double[] answers, ArrivalLog arrivals) = await peers.EndAsync(s_time, cancellationToken);
        double[] sorted = [.. answers.Order()];
        return new Dictionary<string, double>
        {
            ["median, ms"] = sorted[sorted.Length / 2],
            ["p90, ms"] = sorted[(int)(sorted.Length * 0.9)],
            ["p99, ms"] = sorted[(int)(sorted.Length * 0.99)],
            ["bulk beside, Mbit/s"] = arrivals.Rate(start + (long)s_time.TotalMilliseconds / 4, start + (long)s_time.TotalMilliseconds) * 8 / 1e6,
        };
    }
}
