using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>A transfer that wants no more than 200 Mbit/s: how much of a core both ends use together.</summary>
internal sealed class PacedTransfer : IBehaviour
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(10), s_skip = TimeSpan.FromSeconds(2);
    private static readonly OurTunnel s_tunnel = new("paced", "--rate", "200");

    public string Name => "paced 200 Mbit/s";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        var window = new TransferWindow(s_time, s_skip);
        Transfer transfer = await window.MeasureAsync(network, cancel => s_tunnel.CarryAsync(network, window.Sending, cancel), cancellationToken);
        return new Dictionary<string, double>
        {
            ["cores, both ends"] = transfer.Window.Ends / transfer.Window.Time,
            ["cores, ksoftirqd"] = transfer.Window.SoftInterrupts / transfer.Window.Time,
            ["cores, both ends, with start and end"] = transfer.Whole.Ends / transfer.Whole.Time,
            ["carried, Mbit/s"] = transfer.WindowPayload * 8 / transfer.Window.Time.TotalSeconds / 1e6,
        };
    }
}
