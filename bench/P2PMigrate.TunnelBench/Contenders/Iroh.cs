using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>iroh through its npm package: one stream, buffers of 1 MB, direct, no relay within reach.</summary>
internal sealed class Iroh(string version) : IContender
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);

    private string Package => Path.Combine(Tools.Cache, "iroh-" + version);

    public string Name => $"iroh {version} (npm)";

    public string? WhyNot => Directory.Exists(Path.Combine(Package, "node_modules")) && Tools.Has("node") ? null : "the npm package is not there: run bench/install";

    public async Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken)
    {
        string script = Path.Combine(Package, "bench.mjs");
        await using (Stream source = typeof(Iroh).Assembly.GetManifestResourceStream("iroh-0.35.mjs")!)
        await using (FileStream file = File.Create(script))
            await source.CopyToAsync(file, cancellationToken);
        await using LabProcess receive = await network.Far.StartAsync(Node(script, "receive", BenchNetwork.FarAddress), cancellationToken);
        string address = await receive.Output.WaitForAsync(line => line.StartsWith('{'), s_patience, cancellationToken);
        await using LabProcess send = await network.Near.StartAsync(
            Node(script, "send", address, time.TotalSeconds.ToString(CultureInfo.InvariantCulture)), cancellationToken);
        await send.Output.WaitForAsync(line => line == "connected", s_patience, cancellationToken);
        string line = await receive.Output.WaitForAsync(text => text.Contains("\"bytes\"", StringComparison.Ordinal), time + s_patience, cancellationToken);
        return JsonDocument.Parse(line).RootElement.GetProperty("bytes").GetDouble();
    }

    private NodeCommand Node(params string[] arguments) => new("node", arguments) { WorkingDirectory = Package };
}
