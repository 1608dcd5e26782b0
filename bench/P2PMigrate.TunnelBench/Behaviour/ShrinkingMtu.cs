using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>In mid-transfer the link swallows packets longer than 1200 bytes and tells nobody.</summary>
internal sealed class ShrinkingMtu : IBehaviour
{
    private const int Before = 6000, After = 6000;
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(Before + After);

    public string Name => "MTU 1500 to 1200";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        if (network.Link is not { } link)
            throw new LabException("this takes an emulated link");
        await using PeerPair peers = await PeerPair.StartAsync(network, "bulk", s_time, cancellationToken);
        await Task.Delay(Before, cancellationToken);
        long change = ArrivalLog.Now;
        await link.ChangeAsync("mtu=1200", cancellationToken);
        (_, ArrivalLog arrivals) = await peers.EndAsync(s_time, cancellationToken);
        double before = arrivals.Rate(change - 2000, change);
        return new Dictionary<string, double>
        {
            ["longest gap, ms"] = arrivals.LongestGap(change - 50, change + After - 2000),
            ["half the rate again after, ms"] = arrivals.RecoveredAfter(change + 50, change + After - 1000, before / 2) + 50,
            ["rate before, Mbit/s"] = before * 8 / 1e6,
        };
    }
}
