using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench.Contenders;

/// <summary>
/// hyperdht from npm: a DHT of its own on the rendezvous host, a server and a client. Without a relay of its user's it has
/// only direct connections, so that connected and direct are one.
/// </summary>
internal sealed class HyperDht : IContender
{
    /// <summary>Where <c>bench/install</c> puts it.</summary>
    private const string Modules = "/var/cache/p2pmigrate-bench/hyperdht-6.34.0";

    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(30), s_ending = TimeSpan.FromSeconds(75);
    private static readonly string s_script = WriteScript();

    public string Name => "hyperdht 6.34.0";

    public string? WhyNot => Directory.Exists(Path.Combine(Modules, "node_modules", "hyperdht")) ? null : $"there is no {Modules}: bench/install gets it";

    public async Task<IAsyncDisposable> MeetAsync(PeerLab lab, CancellationToken cancellationToken)
    {
        LabProcess dht = await lab.Rendezvous.StartAsync(
            "node", [s_script, Modules, "meet", $"{LabAddresses.Rendezvous}", $"{LabAddresses.RendezvousAlternate}"], cancellationToken);
        await dht.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready, cancellationToken);
        return dht;
    }

    public async Task<Outcome> ConnectAsync(PeerLab lab, CancellationToken cancellationToken)
    {
        string[] bootstrap = [.. Enumerable.Range(0, 3).Select(i => $"{(i % 2 == 0 ? LabAddresses.Rendezvous : LabAddresses.RendezvousAlternate)}:{4000 + i}")];
        await using LabProcess server = await lab.Target.StartAsync("node", [s_script, Modules, "wait", .. bootstrap], cancellationToken);
        string waiting;
        try
        {
            waiting = await server.Output.WaitForAsync(line => line.Contains("waiting", StringComparison.Ordinal), s_ready, cancellationToken);
        }
        catch (LabException)
        {
            return Outcome.Nothing with { Complaint = $"server: {server.Output.Text}{server.Error.Text}" };
        }

        string key = JsonDocument.Parse(waiting).RootElement.GetProperty("key").GetString()!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_ending);
        CommandResult dial = await lab.Source.RunAsync("node", [s_script, Modules, "dial", key, .. bootstrap], limit.Token);
        return Read(dial);
    }

    private static Outcome Read(CommandResult dial)
    {
        string? last = dial.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        if (last is null) return Outcome.Nothing with { Complaint = dial.Error };
        JsonElement said = JsonDocument.Parse(last).RootElement;
        if (said.GetProperty("event").GetString() != "connected") return Outcome.Nothing with { Complaint = last };
        double time = said.GetProperty("ms").GetDouble();
        return new Outcome(time, time);
    }

    private static string WriteScript()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("p2pmigrate-matrix-").FullName, "hyperdht.cjs");
        using Stream script = typeof(HyperDht).Assembly.GetManifestResourceStream("hyperdht.cjs")!;
        using FileStream copy = File.Create(file);
        script.CopyTo(copy);
        return file;
    }
}
