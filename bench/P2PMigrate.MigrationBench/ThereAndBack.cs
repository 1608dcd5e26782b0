using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Contenders;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench;

/// <summary>
/// One container that moves between two hosts again and again: what each migration said it would be down, what it was, and what a client saw. The hosts begin without
/// anything learned from earlier migrations, so the first ones show what a stranger gets.
/// </summary>
internal sealed class ThereAndBack(string link, string workload, IReadOnlyList<string> options, TextWriter log) : IAsyncDisposable
{
    private const double Tolerance = 0.3;
    private const string Program = OurProgram.InHost + "/p2pmigrate";
    private const string TicketFile = "/tmp/ticket";
    private const string Rendezvous = TwoHosts.SourceAddress + ":3478";

    private static readonly TimeSpan s_ready = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(1);

    private TwoHosts? _hosts;
    private LabProcess? _rendezvous;

    /// <summary>Moves it <paramref name="runs"/> times and returns the table.</summary>
    public async Task<string> RunAsync(int runs, CancellationToken cancellationToken)
    {
        _hosts = await TwoHosts.RaiseAsync(link, seed: 1, [new BindMount(OurProgram.Directory, OurProgram.InHost, ReadOnly: true)], [], cancellationToken);
        await _hosts.StartAsync(new WorkloadText(workload), cancellationToken);
        _rendezvous = await _hosts.Source.StartAsync(Program, ["rendezvous", "--json", "--state-dir", "/tmp/rendezvous"], cancellationToken);
        await _rendezvous.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), s_ready, cancellationToken);
        var moves = new List<Move>();
        for (int run = 0; run < runs; run++)
        {
            moves.Add(await MoveAsync(isBack: run % 2 == 1, cancellationToken));
            await log.WriteLineAsync(moves[^1].Line(run + 1));
        }

        return Table(moves);
    }

    public async ValueTask DisposeAsync()
    {
        if (_rendezvous is not null)
            await _rendezvous.DisposeAsync();
        if (_hosts is not null)
            await _hosts.DisposeAsync();
    }

    private async Task<Move> MoveAsync(bool isBack, CancellationToken cancellationToken)
    {
        (VirtualHost from, VirtualHost to) = isBack ? (_hosts!.Target, _hosts.Source) : (_hosts!.Source, _hosts.Target);
        await using LabProcess receive = await to.StartAsync(
            Program, ["receive", "--rendezvous", Rendezvous, "--ticket-file", TicketFile, "--once", "--json"], cancellationToken);
        await receive.Output.WaitForAsync(line => line.Contains("\"ticket\"", StringComparison.Ordinal), s_ready, cancellationToken);
        string ticket = (await to.ReadTextAsync(TicketFile, cancellationToken)).Trim();
        using EchoProbe probe = EchoProbe.Start(from, to);
        await Task.Delay(s_quiet, cancellationToken);
        CommandResult end = await from.RunAsync(Program, ["migrate", TwoHosts.Container, "--to", ticket, "--json", .. options], cancellationToken);
        if (!end.Succeeded)
            throw new LabException($"migrate failed: {end.Output.Split('\n').LastOrDefault(line => line.Length > 0)} {end.Error}");
        await receive.WaitForExitAsync(cancellationToken);
        await probe.SettleAsync(atTarget: true, cancellationToken);
        return Move.Of(end.Output.Split('\n'), probe.Stop());
    }

    private string Table(IReadOnlyList<Move> moves)
    {
        int said = moves.Count(move => move.IsWithin(move.DownMs));
        int seen = moves.Count(move => move.IsWithin(move.SeenMs));
        return string.Join('\n',
        [
            $"**{link}: {workload}**", "",
            "| move | predicted | downtime | a client's | predicted / downtime | rounds, why they ended | where it went |", "|---|---|---|---|---|---|---|",
            .. moves.Select((move, index) => move.Row(index + 1)), "",
            $"Within ±30 %: {said} of {moves.Count} of the downtime as measured at the source, {seen} of {moves.Count} of what a client saw.", "",
        ]);
    }

    /// <summary>One migration, in milliseconds.</summary>
    private sealed record Move(double PredictedMs, double DownMs, double SeenMs, string Rounds, string Parts)
    {
        public static Move Of(string[] lines, TimeSpan seen)
        {
            JsonElement[] events = [.. lines.Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line).RootElement)];
            JsonElement end = events[^1];
            JsonElement round = events.Last(line => line.GetProperty("event").GetString() == "round");
            string why = round.TryGetProperty("end", out JsonElement reason) ? reason.GetString()! : "";
            string parts = string.Join(' ', end.GetProperty("downtime").EnumerateArray().Select(part => $"{part.GetProperty("phase").GetString()} {part.GetProperty("ms").GetDouble():0}"));
            return new Move(
                end.GetProperty("predictedDowntimeMs").GetDouble(), end.GetProperty("downtimeMs").GetDouble(), seen.TotalMilliseconds,
                $"{end.GetProperty("rounds").GetInt32()} {why}", $"{parts}; {end.GetProperty("frozenMemoryBytes").GetInt64() / 1e6:0.0} MB sent, {round.GetProperty("expectedBytes").GetInt64() / 1e6:0.0} expected; last pass {round.GetProperty("ms").GetDouble():0} ms for {round.GetProperty("memoryBytes").GetInt64() / 1e6:0} MB");
        }

        public bool IsWithin(double measured) => Math.Abs(PredictedMs - measured) <= Tolerance * measured;

        public string Line(int number) => string.Create(CultureInfo.InvariantCulture,
            $"{number}: {PredictedMs:0} ms predicted, {DownMs:0} ms measured, {SeenMs:0} ms seen, {Rounds}; {Parts}");

        public string Row(int number) => string.Create(CultureInfo.InvariantCulture,
            $"| {number} | {PredictedMs:0} ms | {DownMs:0} ms | {SeenMs:0} ms | {PredictedMs / DownMs:0.00} | {Rounds} | {Parts} |");
    }
}
