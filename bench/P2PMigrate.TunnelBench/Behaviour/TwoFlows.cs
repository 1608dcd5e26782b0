using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>Two tunnels between two pairs of programs over one bottleneck: Jain's index of their rates after the first seconds.</summary>
internal sealed class TwoFlows : IBehaviour
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(15), s_skip = TimeSpan.FromSeconds(5);

    public string Name => "two flows";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        double[] rates = await Task.WhenAll(FlowAsync(network, 1, cancellationToken), FlowAsync(network, 2, cancellationToken));
        double sum = rates.Sum();
        return new Dictionary<string, double>
        {
            ["Jain's index"] = sum * sum / (rates.Length * rates.Sum(rate => rate * rate)),
            ["together, Mbit/s"] = sum,
        };
    }

    private static async Task<double> FlowAsync(BenchNetwork network, int number, CancellationToken cancellationToken)
    {
        await using LabProcess receive = await OurTunnel.ReceiveAsync(network, $"receive-{number}", cancellationToken);
        string ticket = await OurTunnel.TicketAsync(receive);
        JsonElement result = await OurTunnel.SpeedtestAsync(network, $"send-{number}", ticket, s_time, s_skip, [], cancellationToken);
        return result.GetProperty("mbitPerSecond").GetDouble();
    }
}
