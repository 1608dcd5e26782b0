using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>In mid-transfer the sender, or the receiver, changes its uplink while a relay is up. It has a network of its own.</summary>
internal sealed class UplinkSwitch(bool isReceiver) : IBehaviour
{
    private const int Before = 5000, After = 5000;
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(Before + After);

    public string Name => isReceiver ? "uplink switch of the receiver" : "uplink switch";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using RoamingNetwork roaming = await RoamingNetwork.RaiseAsync(cancellationToken);
        await using PeerPair peers = await PeerPair.StartAsync(
            roaming.Near, roaming.Far, RoamingNetwork.FarAddress, isReceiver ? "pull" : "bulk", s_time, ["at", roaming.Server], cancellationToken);
        await Task.Delay(Before, cancellationToken);
        long change = ArrivalLog.Now;
        await roaming.SwitchAsync(cancellationToken);
        ArrivalLog arrivals = await peers.EndOfBulkAsync(s_time, cancellationToken);
        double before = arrivals.Rate(change - 2000, change);
        return new Dictionary<string, double>
        {
            ["longest gap, ms"] = arrivals.LongestGap(change - 50, change + After - 2000),
            ["longest gap before, ms"] = arrivals.LongestGap(change - 3000, change - 100),
            ["half the rate again after, ms"] = arrivals.RecoveredAfter(change + 50, change + After - 1000, before / 2) + 50,
            ["rate before, Mbit/s"] = before * 8 / 1e6,
        };
    }
}
