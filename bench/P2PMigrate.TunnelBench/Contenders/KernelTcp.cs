using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>iperf3 over the kernel's TCP, in plain text, with a given congestion control.</summary>
internal sealed class KernelTcp(string name, string congestionControl) : IContender
{
    public string Name => name;

    public string? WhyNot =>
        !Tools.Has("iperf3") ? "no iperf3: run bench/install"
        : File.ReadAllText("/proc/sys/net/ipv4/tcp_available_congestion_control").Split(' ', '\n').Contains(congestionControl) ? null
        : $"this kernel has no {congestionControl}";

    public Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken) =>
        CarryAsync(network, BenchNetwork.FarAddress, congestionControl, time, cancellationToken);

    /// <summary>The same to another address, such as one inside a tunnel.</summary>
    public static async Task<double> CarryAsync(BenchNetwork network, string address, string congestionControl, TimeSpan time, CancellationToken cancellationToken)
    {
        await using LabProcess server = await network.Far.StartAsync("iperf3", ["-s", "-1", "--forceflush"], cancellationToken);
        await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
        JsonElement end = await ClientAsync(network, address, congestionControl, time, TimeSpan.Zero, cancellationToken);
        await server.WaitForExitAsync(cancellationToken);
        return end.GetProperty("sum_received").GetProperty("bytes").GetDouble();
    }

    /// <summary>Only the client; what iperf3 says at its end.</summary>
    public static async Task<JsonElement> ClientAsync(
        BenchNetwork network, string address, string congestionControl, TimeSpan time, TimeSpan skip, CancellationToken cancellationToken)
    {
        CommandResult result = await network.Near.RunAsync(
            "iperf3",
            [
                "-c", address, "-J", "-C", congestionControl,
                "-t", time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture), "-O", skip.TotalSeconds.ToString("0", CultureInfo.InvariantCulture),
            ],
            cancellationToken);
        return JsonDocument.Parse(result.EnsureSuccess().Output).RootElement.GetProperty("end");
    }
}
