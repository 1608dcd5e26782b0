using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>
/// The shipped program: one that waits for a peer, and then two with a session on which a byte goes every second, the least that its
/// commands can be asked for.
/// </summary>
internal sealed class IdleAgent : IBehaviour
{
    private const string OneByteASecond = "0.000008"; // In Mbit/s.

    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(8), s_time = TimeSpan.FromSeconds(20);

    public string Name => "idle agent";

    public async Task<IReadOnlyDictionary<string, double>> MeasureAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await using LabProcess receive = await OurTunnel.ReceiveAsync(network, "receive", cancellationToken);
        string ticket = await OurTunnel.TicketAsync(receive);
        double waiting = await ShareOfCoreAsync(network, cancellationToken);
        Task testing = OurTunnel.SpeedtestAsync(
            network, "send", ticket, s_settle + s_time + s_settle, TimeSpan.Zero, ["--rate", OneByteASecond], cancellationToken);
        double connected = await ShareOfCoreAsync(network, cancellationToken);
        bool hasEnded = testing.IsCompleted;
        await testing;
        if (hasEnded)
            throw new LabException("the session ended before the measurement did");
        return new Dictionary<string, double> { ["waiting, % of a core"] = waiting, ["a byte a second, both ends, % of a core"] = connected };
    }

    private static async Task<double> ShareOfCoreAsync(BenchNetwork network, CancellationToken cancellationToken)
    {
        await Task.Delay(s_settle, cancellationToken);
        Reading before = Reading.Take(network);
        await Task.Delay(s_time, cancellationToken);
        Usage usage = Reading.Take(network).Since(before);
        return usage.Ends / usage.Time * 100;
    }
}
