using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench.Contenders;

/// <summary>
/// The shipped program in <paramref name="directory"/>: <c>rendezvous</c>, <c>receive</c> and <c>ping</c>, read by the events that they print.
/// Peers meet over <paramref name="family"/>.
/// </summary>
internal sealed class Agent(string directory, AddressFamily family = AddressFamily.InterNetwork) : IContender
{
    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(20), s_ending = TimeSpan.FromSeconds(40);

    private readonly string _program = Path.Combine(directory, "p2pmigrate");
    private readonly IPEndPoint _rendezvous = new(family == AddressFamily.InterNetwork ? LabAddresses.Rendezvous : LabAddresses.RendezvousV6, 3478);
    private int _peers;

    public string Name => "p2pmigrate";

    public string? WhyNot => File.Exists(_program) ? null : $"there is no {_program}: bench/publish makes it";

    public async Task<IAsyncDisposable> MeetAsync(PeerLab lab, CancellationToken cancellationToken)
    {
        string[] listen = family == AddressFamily.InterNetwork
            ? ["--alternate", $"{LabAddresses.RendezvousAlternate}", "--tls", "0.0.0.0:443"]
            : ["--listen", $"[::]:{_rendezvous.Port}", "--tls", "[::]:443"];
        LabProcess rendezvous = await lab.Rendezvous.StartAsync(
            _program, ["rendezvous", "--json", "--state-dir", Path.Combine(lab.WorkDirectory, "rendezvous"), .. listen], cancellationToken);
        await rendezvous.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready, cancellationToken);
        return rendezvous;
    }

    public async Task<Outcome> ConnectAsync(PeerLab lab, CancellationToken cancellationToken)
    {
        string state = Path.Combine(lab.WorkDirectory, $"peers-{Interlocked.Increment(ref _peers)}");
        string ticketFile = state + "-ticket";
        await using LabProcess receive = await lab.Target.StartAsync(
            _program,
            ["receive", "--rendezvous", $"{_rendezvous}", "--ticket-file", ticketFile, "--json", "--state-dir", state + "-target"],
            cancellationToken);
        if (!await IsWaitingAsync(receive, cancellationToken)) return Outcome.Nothing with { Complaint = $"receive: {receive.Output.Text}{receive.Error.Text}" };
        string ticket = (await File.ReadAllTextAsync(ticketFile, cancellationToken)).Trim();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_ending);
        CommandResult ping = await lab.Source.RunAsync(_program, ["ping", ticket, "--json", "--state-dir", state + "-source"], limit.Token);
        return ping.ExitCode == 0 ? Read(ping.Output) : Outcome.Nothing with { Complaint = $"ping: {ping.Output}{ping.Error}" };
    }

    /// <summary>False: it ended, or nobody heard it.</summary>
    private static async Task<bool> IsWaitingAsync(LabProcess receive, CancellationToken cancellationToken)
    {
        try
        {
            await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), s_ready, cancellationToken);
            return true;
        }
        catch (LabException)
        {
            return false;
        }
    }

    private static Outcome Read(string output)
    {
        string pong = output.Split('\n').Last(line => line.Contains("\"event\":\"pong\"", StringComparison.Ordinal));
        JsonElement said = JsonDocument.Parse(pong).RootElement;
        bool isDirect = said.GetProperty("path").GetString() == "direct";
        double? direct = isDirect && said.TryGetProperty("directMs", out JsonElement time) && time.ValueKind == JsonValueKind.Number ? time.GetDouble() : null;
        return new Outcome(said.GetProperty("firstByteMs").GetDouble(), direct);
    }
}
