using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>
/// In mid-transfer the NAT before the sender, or before the receiver, forgets its mapping and makes another one. The NAT is the near
/// node's own kernel. The same programs run once before, without effect: what starting them costs a busy machine is not the NAT's.
/// </summary>
internal sealed class ReboundNat(bool isBeforeReceiver) : IBehaviour
{
    private const int Start = 3000, Before = 3000, After = 4000, Around = 2500;
    private const int FirstPort = 20000, SecondPort = 21000; // Not among those that a kernel gives by itself.
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(Start + Before + After);

    public string Name => isBeforeReceiver ? "NAT rebind before the receiver" : "NAT rebind";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await MapAsync(network, FirstPort, cancellationToken);
        await using PeerPair peers = await PeerPair.StartAsync(network, isBeforeReceiver ? "pull" : "bulk", s_time, cancellationToken);
        await Task.Delay(Start, cancellationToken);
        long control = ArrivalLog.Now;
        await MapAsync(network, FirstPort, cancellationToken);
        await network.Near.ShellAsync("conntrack -L -p udp >/dev/null 2>&1", cancellationToken);
        await Task.Delay(Before, cancellationToken);
        long change = ArrivalLog.Now;
        await MapAsync(network, SecondPort, cancellationToken);
        await network.Near.ShellAsync("conntrack -D -p udp >/dev/null 2>&1", cancellationToken); // Fails when there is nothing to forget.
        ArrivalLog arrivals = await peers.EndOfBulkAsync(s_time, cancellationToken);
        return new Dictionary<string, double>
        {
            ["longest gap, ms"] = arrivals.LongestGap(change - 50, change + Around),
            ["longest gap with the same programs without effect, ms"] = arrivals.LongestGap(control - 50, control + Around),
        };
    }

    /// <summary>What comes for a mapping that is not there is dropped without a word, as routers do.</summary>
    private static async Task MapAsync(BenchNetwork network, int port, CancellationToken cancellationToken)
    {
        string rules =
            $$"""
            table ip rebind
            delete table ip rebind
            table ip rebind {
              chain out { type nat hook postrouting priority srcnat; ip daddr {{BenchNetwork.FarAddress}} meta l4proto udp snat to {{BenchNetwork.NearAddress}}:{{port}}; }
              chain in { type filter hook input priority filter; ip saddr {{BenchNetwork.FarAddress}} udp dport { {{FirstPort}}, {{SecondPort}} } drop; }
            }
            """;
        CommandResult result = await network.Near.RunAsync(new NodeCommand("nft", ["-f", "-"]) { Input = rules }, cancellationToken);
        result.EnsureSuccess();
    }
}
