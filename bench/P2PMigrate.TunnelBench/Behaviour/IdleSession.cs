using System.Diagnostics;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>A session that carries nothing: how much of a core both ends use together once they have settled.</summary>
internal sealed class IdleSession : IBehaviour
{
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(8), s_time = TimeSpan.FromSeconds(20);

    public string Name => "idle";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using PeerPair peers = await PeerPair.StartAsync(network, "idle", s_settle + s_time + s_settle, cancellationToken);
        await Task.Delay(s_settle, cancellationToken);
        TimeSpan before = network.CpuTime;
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(s_time, cancellationToken);
        return new Dictionary<string, double> { ["% of a core, both ends"] = (network.CpuTime - before) / Stopwatch.GetElapsedTime(start) * 100 };
    }
}
