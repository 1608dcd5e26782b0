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

    public Task<Sample> RunAsync(BenchNetwork network, TimeSpan time, TimeSpan skip, CancellationToken cancellationToken) =>
        MeasureAsync(network, BenchNetwork.FarAddress, congestionControl, time, skip, cancellationToken);

    /// <summary>The same to another address, such as one inside a tunnel.</summary>
    public static async Task<Sample> MeasureAsync(
        BenchNetwork network, string address, string congestionControl, TimeSpan time, TimeSpan skip, CancellationToken cancellationToken)
    {
        await using LabProcess server = await network.Far.StartAsync("iperf3", ["-s", "-1", "--forceflush"], cancellationToken);
        await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
        TimeSpan before = network.CpuTime;
        JsonElement end = await ClientAsync(network, address, congestionControl, time, skip, cancellationToken);
        await server.WaitForExitAsync(cancellationToken);
        TimeSpan cpu = network.CpuTime - before;
        JsonElement received = end.GetProperty("sum_received");
        double seconds = (time + skip).TotalSeconds / time.TotalSeconds; // What was skipped was carried as well.
        return new Sample(received.GetProperty("bits_per_second").GetDouble() / 8, cpu.TotalSeconds / (received.GetProperty("bytes").GetDouble() * seconds) * 1e9);
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
