using System.Diagnostics;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>
/// A session that has carried data and now carries nothing, between two ordinary .NET programs that embed the tunnel: how much
/// of a core both ends use together, once what the bulk has left behind (pools, timers of its probes) has settled. The programs
/// compile each method once and fully, as the shipped program is: the runtime's second thoughts would be most of what is seen.
/// </summary>
internal sealed class IdleSession : IBehaviour
{
    private static readonly TimeSpan s_settled = PeerProgram.BusyBeforeIdle + TimeSpan.FromSeconds(16), s_time = TimeSpan.FromSeconds(20);

    public string Name => "idle";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using PeerPair peers = await PeerPair.StartAsync(network, "idle", s_settled + s_time + s_settled, cancellationToken);
        long start = Stopwatch.GetTimestamp();
        return new Dictionary<string, double> { ["% of a core, both ends"] = await ShareOfCoreAsync(network, start, s_settled, cancellationToken) };
    }

    private static async Task<double> ShareOfCoreAsync(BenchNetwork network, long start, TimeSpan after, CancellationToken cancellationToken)
    {
        await Task.Delay(after - Stopwatch.GetElapsedTime(start), cancellationToken);
        Reading before = Reading.Take(network);
        await Task.Delay(s_time, cancellationToken);
        Usage usage = Reading.Take(network).Since(before);
        return usage.Ends / usage.Time * 100;
    }
}
