using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>A tunnel beside one TCP connection of the kernel, CUBIC: the tunnel's share of what both carry.</summary>
internal sealed class BesideCubic : IBehaviour
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(20), s_skip = TimeSpan.FromSeconds(5);

    public string Name => "beside cubic";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using LabProcess receive = await OurTunnel.ReceiveAsync(network, "receive", cancellationToken);
        string ticket = await OurTunnel.TicketAsync(receive);
        await using LabProcess server = await network.Far.StartAsync("iperf3", ["-s", "-1", "--forceflush"], cancellationToken);
        await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
        Task<JsonElement> theirs = KernelTcp.ClientAsync(network, BenchNetwork.FarAddress, "cubic", s_time, s_skip, cancellationToken);
        JsonElement ours = await OurTunnel.SpeedtestAsync(network, "send", ticket, s_time, s_skip, [], cancellationToken);
        double cubic = (await theirs).GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e6;
        double tunnel = ours.GetProperty("mbitPerSecond").GetDouble();
        return new Dictionary<string, double> { ["the tunnel's share, %"] = 100 * tunnel / (tunnel + cubic), ["together, Mbit/s"] = tunnel + cubic };
    }
}
