using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.Demo;

/// <summary>
/// The whole story once: two hosts behind NATs, a real redis in a real container, a client that never stops counting, one
/// migration, and the proof that it is the same process. Everything it makes disappears with it.
/// </summary>
internal sealed class MigrationDemo(DemoOptions options)
{
    private const string AgentInHost = "/opt/p2pmigrate/p2pmigrate";
    private const string TicketFile = "/tmp/ticket";
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(20);

    private readonly Stage _stage = new();

    /// <summary>Plays it; true when every claim was proven.</summary>
    public async Task<bool> RunAsync()
    {
        string agents = Path.GetFullPath(options.AgentDirectory);
        _stage.Act($"Raising the lab: two hosts behind {options.Nat} NATs, a routed core, a rendezvous host");
        await using VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions
        {
            SourceNat = options.Nat,
            TargetNat = options.Nat,
            Binds = [new BindMount(agents, "/opt/p2pmigrate", ReadOnly: true)],
        }).ConfigureAwait(false);

        _stage.Act($"Starting redis-server in a runc container on the source, {options.Keys.ToString("N0", CultureInfo.InvariantCulture)} keys");
        var redis = new RedisContainer(lab.Source, lab.Target);
        await redis.StartAsync().ConfigureAwait(false);
        redis.Fill(options.Keys);
        RedisFacts before = redis.Facts(redis.SourceDoor, options.Keys);

        _stage.Act("Starting the peers: rendezvous on the core, `receive` on the target");
        await using LabProcess rendezvous = await lab.Rendezvous.StartAsync(
            Path.Combine(agents, "p2pmigrate"), ["rendezvous", "--json", "--state-dir", Path.Combine(Path.GetTempPath(), $"p2pmigrate-demo-{Environment.ProcessId}")]).ConfigureAwait(false);
        await rendezvous.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready).ConfigureAwait(false);
        await using LabProcess receive = await lab.Target.StartAsync(
            AgentInHost, ["receive", "--rendezvous", $"{LabAddresses.Rendezvous}:3478", "--ticket-file", TicketFile, "--once", "--json"]).ConfigureAwait(false);
        await receive.Output.WaitForAsync(line => line.Contains("\"ticket\"", StringComparison.Ordinal), s_ready).ConfigureAwait(false);
        string ticket = (await lab.Target.ReadTextAsync(TicketFile).ConfigureAwait(false)).Trim();

        var client = new CounterClient(redis.SourceDoor, redis.TargetDoor, redis.Address);
        await Task.Delay(500).ConfigureAwait(false);
        _stage.Act($"p2pmigrate migrate {RedisContainer.Name} --to {ticket[..16]}…");
        JsonElement? result = await MigrateAsync(lab.Source, ticket).ConfigureAwait(false);
        await Task.Delay(1000).ConfigureAwait(false);
        CounterReport counter = CounterReport.Of(client.Stop());

        _stage.Act("Proof");
        var proof = new DemoProof(options, _stage);
        return result is { } completed && await proof.CheckAsync(lab, redis, before, counter, completed).ConfigureAwait(false);
    }

    /// <summary>Runs the migration and shows each event as it comes; the last one is the result, or null after a failure.</summary>
    private async Task<JsonElement?> MigrateAsync(VirtualHost source, string ticket)
    {
        long start = Stopwatch.GetTimestamp();
        await using LabProcess migrate = await source.StartAsync(
            AgentInHost, ["migrate", RedisContainer.Name, "--to", ticket, "--json"]).ConfigureAwait(false);
        JsonElement? last = null;
        await foreach (string line in migrate.Output.ReadAsync().ConfigureAwait(false))
        {
            last = JsonDocument.Parse(line).RootElement;
            _stage.Event(Stopwatch.GetElapsedTime(start), last.Value);
        }
        CommandResult end = await migrate.CompleteAsync().ConfigureAwait(false);
        if (end.ExitCode == 0)
            return last;
        _stage.Line($"migrate exited with {end.ExitCode}. {end.Error}");
        return null;
    }
}
