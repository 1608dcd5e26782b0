using System.Diagnostics;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>A transfer that wants no more than 200 Mbit/s: how much of a core both ends use together.</summary>
internal sealed class PacedTransfer : IBehaviour
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(10);

    public string Name => "paced 200 Mbit/s";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using LabProcess receive = await OurTunnel.ReceiveAsync(network, "receive", cancellationToken);
        string ticket = await OurTunnel.TicketAsync(receive);
        TimeSpan before = network.CpuTime;
        long start = Stopwatch.GetTimestamp();
        JsonElement result = await OurTunnel.SpeedtestAsync(network, "send", ticket, s_time, TimeSpan.Zero, ["--rate", "200"], cancellationToken);
        return new Dictionary<string, double>
        {
            ["cores"] = (network.CpuTime - before) / Stopwatch.GetElapsedTime(start),
            ["carried, Mbit/s"] = result.GetProperty("mbitPerSecond").GetDouble(),
        };
    }
}
