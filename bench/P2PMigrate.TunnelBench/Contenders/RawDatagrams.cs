using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>The ceiling: UDP datagrams in trains through the kernel's segmentation and joining, without any protocol on top.</summary>
internal sealed class RawDatagrams : IContender
{
    public string Name => "raw GSO+GRO";

    public string? WhyNot => null;

    public async Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken)
    {
        string program = typeof(RawDatagrams).Assembly.Location;
        string seconds = time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        await using LabProcess receive = await network.Far.StartAsync("dotnet", [program, "raw-receive", BenchNetwork.FarAddress], cancellationToken);
        await receive.Output.WaitForAsync(line => line == "ready", TimeSpan.FromSeconds(20), cancellationToken);
        (await network.Near.RunAsync("dotnet", [program, "raw-send", BenchNetwork.FarAddress, seconds], cancellationToken)).EnsureSuccess();
        JsonElement result = JsonDocument.Parse(
            await receive.Output.WaitForAsync(line => line.StartsWith('{'), TimeSpan.FromSeconds(20), cancellationToken)).RootElement;
        return result.GetProperty("bytes").GetDouble();
    }
}
