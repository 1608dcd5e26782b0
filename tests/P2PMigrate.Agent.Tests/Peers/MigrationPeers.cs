using System.Reflection;
using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Peers;

/// <summary>A lab with the shipped program on it: a rendezvous server, and a target that receives. One test owns it.</summary>
internal sealed class MigrationPeers : IAsyncDisposable
{
    public const string Program = "/opt/p2pmigrate/p2pmigrate";
    private const string TicketFile = "/tmp/ticket";
    private const string OtherTicketFile = "/tmp/other-ticket";
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(20);
    internal static readonly string Agents = Path.Combine(
        typeof(MigrationPeers).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepoRoot").Value!, "artifacts/agent");

    private readonly string _rendezvousState = Directory.CreateTempSubdirectory("p2pmigrate-rendezvous-").FullName;
    private LabProcess? _rendezvous;

    private MigrationPeers(VirtualLab lab) => Lab = lab;

    public VirtualLab Lab { get; }

    public VirtualHost Source => Lab.Source;

    public VirtualHost Target => Lab.Target;

    /// <summary>What the source's program is started with.</summary>
    public IReadOnlyDictionary<string, string> SourceEnvironment { get; set; } = new Dictionary<string, string>();

    /// <summary>What the target's program is started with.</summary>
    public IReadOnlyDictionary<string, string> TargetEnvironment { get; set; } = new Dictionary<string, string>();

    /// <summary>The target's program, when it runs.</summary>
    public LabProcess? Receive { get; private set; }

    public static string RendezvousAddress => $"{LabAddresses.Rendezvous}:3478";

    /// <summary>Skips the test where there is no power to raise a lab; fails it where the program was not published. Both peers see <paramref name="binds"/>.</summary>
    public static async Task<MigrationPeers> RaiseAsync(NatKind? nat = null, params BindMount[] binds)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root: network namespaces, mounts and CRIU.");
        Assert.True(File.Exists(Path.Combine(Agents, "p2pmigrate")), "Run bench/publish first: the tests migrate with the shipped program.");
        VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions
        {
            SourceNat = nat ?? NatKind.PortRestricted,
            TargetNat = nat ?? NatKind.PortRestricted,
            Binds = [new BindMount(Agents, "/opt/p2pmigrate", ReadOnly: true), .. binds],
        });
        var peers = new MigrationPeers(lab);
        await peers.StartRendezvousAsync();
        return peers;
    }

    /// <summary>Kills the rendezvous server, which remembers nothing.</summary>
    public async Task KillRendezvousAsync()
    {
        LabProcess server = _rendezvous!;
        _rendezvous = null;
        await server.DisposeAsync();
    }

    /// <summary>Starts it, or another one in its place.</summary>
    public async Task StartRendezvousAsync()
    {
        _rendezvous = await Lab.Rendezvous.StartAsync(
            Path.Combine(Agents, "p2pmigrate"), ["rendezvous", "--tls", "0.0.0.0:443", "--json", "--state-dir", _rendezvousState]);
        await _rendezvous.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready);
    }

    /// <summary>Starts the target's program (again) and returns its ticket.</summary>
    public async Task<string> ReceiveAsync(params string[] options)
    {
        await Target.ShellAsync($"rm -f {TicketFile}");
        Receive = await Target.StartAsync(
            new NodeCommand(Program, ["receive", "--rendezvous", RendezvousAddress, "--ticket-file", TicketFile, "--json", .. options]) { Environment = TargetEnvironment });
        await Receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), s_ready);
        return await TicketAsync();
    }

    /// <summary>Starts a second peer beside the target's, with an identity of its own. The caller ends it.</summary>
    public async Task<LabProcess> ReceiveElsewhereAsync()
    {
        LabProcess other = await Target.StartAsync(
            Program, ["receive", "--rendezvous", RendezvousAddress, "--state-dir", "/tmp/other-peer", "--ticket-file", OtherTicketFile, "--json"]);
        await other.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), s_ready);
        return other;
    }

    /// <summary>The ticket of the second peer.</summary>
    public async Task<string> OtherTicketAsync() => (await Target.ReadTextAsync(OtherTicketFile)).Trim();

    /// <summary>The ticket that is good now.</summary>
    public async Task<string> TicketAsync() => (await Target.ReadTextAsync(TicketFile)).Trim();

    /// <summary>Starts a migration without waiting for its end.</summary>
    public Task<LabProcess> StartMigrateAsync(string container, string ticket, params string[] options) =>
        Source.StartAsync(new NodeCommand(Program, ["migrate", container, "--to", ticket, "--json", .. options]) { Environment = SourceEnvironment });

    /// <summary>Migrates and returns the exit code and the last line.</summary>
    public async Task<MigrateResult> MigrateAsync(string container, string ticket, params string[] options)
    {
        await using LabProcess migrate = await StartMigrateAsync(container, ticket, options);
        return await EndOfAsync(migrate);
    }

    /// <summary>Migrates from the target to the source, which receives this once.</summary>
    public async Task<MigrateResult> MigrateBackAsync(string container, params string[] options)
    {
        await using LabProcess receive = await Source.StartAsync(Program, ["receive", "--rendezvous", RendezvousAddress, "--ticket-file", TicketFile, "--once", "--json"]);
        await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), s_ready);
        string ticket = (await Source.ReadTextAsync(TicketFile)).Trim();
        await using LabProcess migrate = await Target.StartAsync(Program, ["migrate", container, "--to", ticket, "--json", .. options]);
        return await EndOfAsync(migrate);
    }

    /// <summary>Waits for a started migration to end.</summary>
    public static async Task<MigrateResult> EndOfAsync(LabProcess migrate)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        CommandResult result = await migrate.CompleteAsync(limit.Token);
        string last = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "{}";
        return new MigrateResult(result.ExitCode, JsonDocument.Parse(last).RootElement, result.ToString() + result.Output);
    }

    public async ValueTask DisposeAsync()
    {
        if (Receive is not null)
            await Receive.DisposeAsync();
        if (_rendezvous is not null)
            await _rendezvous.DisposeAsync();
        await Lab.DisposeAsync();
        Directory.Delete(_rendezvousState, recursive: true);
    }
}

/// <summary>How <c>migrate --json</c> ended.</summary>
internal sealed record MigrateResult(int ExitCode, JsonElement Last, string Everything)
{
    public string? Text(string property) => Last.TryGetProperty(property, out JsonElement value) ? value.GetString() : null;
}
