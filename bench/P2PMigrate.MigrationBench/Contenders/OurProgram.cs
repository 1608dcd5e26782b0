using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>The shipped program; words behind its name are options of <c>migrate</c>, such as <c>p2pmigrate --mode hybrid</c>.</summary>
internal sealed class OurProgram(string name) : IContender
{
    public const string Prefix = "p2pmigrate";
    public const string InHost = "/opt/p2pmigrate";
    private const string Program = InHost + "/p2pmigrate";
    private const string TicketFile = "/tmp/ticket";
    private const string Rendezvous = TwoHosts.SourceAddress + ":3478";
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(20);

    /// <summary>Where <c>bench/publish</c> puts it.</summary>
    public static string Directory => Path.GetFullPath(Environment.GetEnvironmentVariable("P2PMIGRATE_AGENT") ?? "artifacts/agent");

    public string Name => name;

    public string? WhyNot => File.Exists(Path.Combine(Directory, Prefix)) ? null : "it is not built: bench/publish";

    public bool Moves => true;

    public async Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        CommandResult end = await MigrateAsync(hosts, name.Split(' ')[1..], cancellationToken);
        return FiguresOf(end.Output.Split('\n').Last(line => line.Length > 0));
    }

    /// <summary>One migration from the source to the target, with a rendezvous server at the source. Throws when it fails.</summary>
    public static async Task<CommandResult> MigrateAsync(TwoHosts hosts, string[] options, CancellationToken cancellationToken)
    {
        await using LabProcess rendezvous = await hosts.Source.StartAsync(Program, ["rendezvous", "--json", "--state-dir", "/tmp/rendezvous"], cancellationToken);
        await rendezvous.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready, cancellationToken);
        await using LabProcess receive = await hosts.Target.StartAsync(
            Program, ["receive", "--rendezvous", Rendezvous, "--ticket-file", TicketFile, "--once", "--json"], cancellationToken);
        await receive.Output.WaitForAsync(line => line.Contains("\"ticket\"", StringComparison.Ordinal), s_ready, cancellationToken);
        string ticket = (await hosts.Target.ReadTextAsync(TicketFile, cancellationToken)).Trim();
        CommandResult end = await hosts.Source.RunAsync(Program, ["migrate", TwoHosts.Container, "--to", ticket, "--json", .. options], cancellationToken);
        if (!end.Succeeded)
            throw new LabException($"migrate failed: {end.Output.Split('\n').LastOrDefault(line => line.Length > 0)} {end.Error}");
        await receive.WaitForExitAsync(cancellationToken);
        return end;
    }

    private static Dictionary<string, double> FiguresOf(string completed)
    {
        JsonElement result = JsonDocument.Parse(completed).RootElement;
        var figures = new Dictionary<string, double>
        {
            ["said"] = result.GetProperty("downtimeMs").GetDouble(),
            ["total"] = result.GetProperty("totalMs").GetDouble(),
            ["bytes"] = result.GetProperty("bytesSent").GetDouble(),
        };
        foreach (JsonElement part in result.GetProperty("downtime").EnumerateArray())
            figures[part.GetProperty("phase").GetString()!] = part.GetProperty("ms").GetDouble();
        return figures;
    }
}
