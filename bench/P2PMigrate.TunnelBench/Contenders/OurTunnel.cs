using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>The shipped program: <c>p2pmigrate receive</c> at the far end, <c>p2pmigrate speedtest</c> at the near end.</summary>
internal sealed class OurTunnel(string name, params string[] options) : IContender
{
    // With this behind a contender's name it is another build of the program, to see what a change did, by turns in the same run.
    private const string Before = ", before";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public static string Program { get; } = Path.GetFullPath(Environment.GetEnvironmentVariable("P2PMIGRATE_AGENT") ?? "artifacts/agent/p2pmigrate");

    /// <summary>What <c>P2PMIGRATE_BEFORE</c> names: an earlier build.</summary>
    private static string ProgramBefore { get; } = Path.GetFullPath(Environment.GetEnvironmentVariable("P2PMIGRATE_BEFORE") ?? "artifacts/agent-before/p2pmigrate");

    public string Name => name;

    public string? WhyNot => File.Exists(Binary) ? null : "bench/publish has not been run, or P2PMIGRATE_BEFORE names no program";

    private string Binary => name.EndsWith(Before, StringComparison.Ordinal) ? ProgramBefore : Program;

    public async Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken)
    {
        await using LabProcess receive = await ReceiveAsync(network, "receive", cancellationToken, Binary);
        string ticket = await TicketAsync(receive);
        return (await SpeedtestAsync(network, "send", ticket, time, TimeSpan.Zero, options, cancellationToken, Binary)).GetProperty("bytes").GetDouble();
    }

    /// <summary>Starts a receiver at the far end; <paramref name="state"/> is what its files are called.</summary>
    public static Task<LabProcess> ReceiveAsync(BenchNetwork network, string state, CancellationToken cancellationToken, string? program = null) => network.Far.StartAsync(
        program ?? Program, ["receive", "--json", "--listen", BenchNetwork.FarAddress + ":0", "--state-dir", Path.Combine(network.Directory, state)], cancellationToken);

    public static async Task<string> TicketAsync(LabProcess receive)
    {
        string line = await receive.Output.WaitForAsync(text => text.Contains("\"ticket\"", StringComparison.Ordinal), s_patience);
        return JsonDocument.Parse(line).RootElement.GetProperty("ticket").GetString()!;
    }

    /// <summary>Runs a speed test from the near end; its last line.</summary>
    public static async Task<JsonElement> SpeedtestAsync(
        BenchNetwork network, string state, string ticket, TimeSpan time, TimeSpan skip, string[] options, CancellationToken cancellationToken, string? program = null)
    {
        CommandResult result = await network.Near.RunAsync(
            program ?? Program,
            [
                "speedtest", ticket, "--json", "--state-dir", Path.Combine(network.Directory, state),
                "--seconds", Text(time + skip), "--skip", Text(skip), .. options,
            ],
            cancellationToken);
        return JsonDocument.Parse(result.EnsureSuccess().Output.TrimEnd().Split('\n')[^1]).RootElement;
    }

    private static string Text(TimeSpan time) => time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
}
