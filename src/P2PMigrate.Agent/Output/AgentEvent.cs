using System.Globalization;
using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>
/// Something the user should see. With <c>--json</c> it is one object per line whose first property is <c>event</c>;
/// otherwise it is <see cref="ToLine"/>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(TicketIssued), "ticket")]
[JsonDerivedType(typeof(IdentityShown), "id")]
[JsonDerivedType(typeof(Listening), "listening")]
[JsonDerivedType(typeof(FindingMade), "finding")]
[JsonDerivedType(typeof(CheckCompleted), "checked")]
[JsonDerivedType(typeof(QuestionAnswered), "questionAnswered")]
[JsonDerivedType(typeof(PlaceUsed), "placeUsed")]
[JsonDerivedType(typeof(TargetAsked), "targetAsked")]
[JsonDerivedType(typeof(PathChosen), "path")]
[JsonDerivedType(typeof(PhaseStarted), "phase")]
[JsonDerivedType(typeof(PhaseProgressed), "progress")]
[JsonDerivedType(typeof(PhaseFinished), "phaseFinished")]
[JsonDerivedType(typeof(RoundCompleted), "round")]
[JsonDerivedType(typeof(MemoryFollows), "memoryFollows")]
[JsonDerivedType(typeof(JobRecovered), "recovered")]
[JsonDerivedType(typeof(JobListed), "job")]
[JsonDerivedType(typeof(JobTable), "jobs")]
[JsonDerivedType(typeof(ReportMissed), "reportMissed")]
[JsonDerivedType(typeof(Interrupting), "interrupting")]
[JsonDerivedType(typeof(MigrationCompleted), "completed")]
[JsonDerivedType(typeof(MigrationFailed), "failed")]
[JsonDerivedType(typeof(ContainerReceived), "received")]
[JsonDerivedType(typeof(ReceptionFailed), "receptionFailed")]
[JsonDerivedType(typeof(ArchiveWritten), "checkpointed")]
[JsonDerivedType(typeof(ArchiveRestored), "restored")]
[JsonDerivedType(typeof(DataPushed), "pushed")]
[JsonDerivedType(typeof(DataPulled), "pulled")]
[JsonDerivedType(typeof(DumpWritten), "dumped")]
[JsonDerivedType(typeof(PingCompleted), "pong")]
[JsonDerivedType(typeof(NetcheckCompleted), "netchecked")]
internal abstract record AgentEvent
{
    /// <summary>The event as one line for a person, without a line end.</summary>
    public abstract string ToLine();

    /// <summary>How long something takes yet, not more exactly than anybody knows.</summary>
    internal static string Duration(double milliseconds) => milliseconds < 60_000
        ? (milliseconds / 1000).ToString(milliseconds < 10_000 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s"
        : $"{(int)(milliseconds / 60_000)} min {(int)(milliseconds / 1000) % 60} s";

    private protected static string Milliseconds(double value) =>
        value.ToString(value < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " ms";
}

/// <summary>A ticket that admits one migration. The only line of <c>receive</c> on standard output that scripts need.</summary>
internal sealed record TicketIssued(string Ticket, string PeerId, DateTimeOffset ExpiresAt) : AgentEvent
{
    public override string ToLine() => Ticket;
}

/// <summary>Who this peer is.</summary>
internal sealed record IdentityShown(string PeerId) : AgentEvent
{
    /// <summary>The key whose digest the id is, as <c>--for</c> reads it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PublicKey { get; init; }

    /// <summary>Is the key what was asked for?</summary>
    [JsonIgnore]
    public bool IsKeyAsked { get; init; }

    public override string ToLine() => IsKeyAsked ? PublicKey! : PeerId;
}

/// <summary>A server is ready for datagrams at <paramref name="Address"/>.</summary>
internal sealed record Listening(string Address) : AgentEvent
{
    /// <summary>The second port, at the same address.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SecondPort { get; init; }

    /// <summary>The second port that it would have had by default, and does without because it cannot be had; 0 is any.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SecondPortLeftOut { get; init; }

    /// <summary>The second address.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Alternate { get; init; }

    /// <summary>Where it serves by TLS.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tls { get; init; }

    /// <summary>The Redis shared with other servers, without what is secret about it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Redis { get; init; }

    /// <summary>Where the other servers reach this one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Advertised { get; init; }

    public override string ToLine() =>
        $"Rendezvous and relay on {Address} (UDP)"
        + (SecondPort is { } port ? $", second port {port}" : "")
        + (Alternate is null ? "" : $", second address {Alternate}")
        + (Tls is null ? "" : $", TLS on {Tls}")
        + (Redis is null ? "" : $", together with the other servers at Redis {Redis}; they reach this one at {Advertised}")
        + (SecondPortLeftOut is { } taken ? $". Without the second port {taken}, which is taken: peers learn less of their NATs." : ".");
}

/// <summary>One line of a check.</summary>
internal sealed record FindingMade(string Severity, string Where, string Subject, string Message, string? Remedy) : AgentEvent
{
    public override string ToLine()
    {
        string mark = Severity switch { "good" => "ok  ", "warning" => "warn", _ => "NO  " };
        return $"{mark} {Where} {Subject}: {Message}" + (Remedy is null ? "" : $" -> {Remedy}");
    }
}

/// <summary>A peer asked whether a container could come, and was told.</summary>
internal sealed record QuestionAnswered(string Peer) : AgentEvent
{
    public override string ToLine() => $"{Peer} asked whether a container could come here, and was told. Nothing was touched.";
}

/// <summary>A peer uses the place that is kept here.</summary>
internal sealed record PlaceUsed(string Peer) : AgentEvent
{
    public override string ToLine() => $"{Peer} uses the place that is kept here, for a stage. Nothing runs here by that.";
}

/// <summary>A job is in doubt here, and its target is asked what became of it, for so many seconds at most; for good when that is null.</summary>
internal sealed record TargetAsked(string JobId, string Container, double? Seconds) : AgentEvent
{
    /// <summary>Is it known that the container runs there, and lacks memory that is sent when the target is met?</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool LacksMemory { get; init; }

    public override string ToLine() => $"{Standing} {(Seconds is { } limit ? $"Asking the target, for up to {limit:0} s…" : "Looking for the target until it is reached…")}";

    private string Standing => LacksMemory
        ? $"'{Container}' runs at the target, and needs memory that is still here: leave both machines up."
        : $"'{Container}' is frozen here and may be running at the target: the connection ended just as it was handed over.";
}

/// <summary>The verdict of <c>check</c>.</summary>
internal sealed record CheckCompleted(bool Ready, int Blockers, int Warnings) : AgentEvent
{
    public override string ToLine() => Ready
        ? $"Ready to migrate ({Warnings} warnings)."
        : $"Not ready: {Blockers} blockers, {Warnings} warnings. Nothing was touched.";
}

/// <summary>The path that carries data from now on: <c>direct</c> or <c>relay</c>.</summary>
internal sealed record PathChosen(string Path, string Remote, double RttMs) : AgentEvent
{
    public override string ToLine() => $"Path: {Path} to {Remote}, round trip {Milliseconds(RttMs)}.";
}

/// <summary>A phase of the migration began.</summary>
internal sealed record PhaseStarted(string Phase) : AgentEvent
{
    public override string ToLine() => $"{Phase}…";
}

/// <summary>How far a phase is. <paramref name="BytesTotal"/> is null while it is not known.</summary>
internal sealed record PhaseProgressed(string Phase, long BytesDone, long? BytesTotal) : AgentEvent
{
    /// <summary>Since the phase began.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>Until the phase is over, if it goes on like this; left out while the total is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EtaMs { get; init; }

    public override string ToLine() =>
        $"{Phase}: {ByteText.Of(BytesDone)}" + (BytesTotal is { } total ? $" of {ByteText.Of(total)}" : "")
        + (BytesPerSecond > 0 ? $", {ByteText.Of((long)BytesPerSecond)}/s" : "") + (EtaMs is { } eta ? $", {Duration(eta)} left" : "");
}

/// <summary>A phase ended well.</summary>
internal sealed record PhaseFinished(string Phase, double Ms, long Bytes) : AgentEvent
{
    public override string ToLine() => $"{Phase}: done in {Milliseconds(Ms)}" + (Bytes == 0 ? "" : $", {ByteText.Of(Bytes)}");
}

/// <summary>An earlier, interrupted job was cleaned up.</summary>
internal sealed record JobRecovered(string JobId, string Container, string Action, string RunningAt, string Message) : AgentEvent
{
    public override string ToLine() => Message;
}

/// <summary>The report that was asked for could not be written; the migration did not mind.</summary>
internal sealed record ReportMissed(string File, string Reason) : AgentEvent
{
    public override string ToLine() => $"The report {File} could not be written: {Reason}";
}

/// <summary>The user wants it to stop, and the end is still to come.</summary>
internal sealed record Interrupting : AgentEvent
{
    public override string ToLine() =>
        "Stopping: the container goes on at the source, unless it has been handed over already; then the migration is brought to its end.";
}

/// <summary>The container runs at the target, and only there.</summary>
internal sealed record MigrationCompleted(
    string Container, string Path, double DowntimeMs, double TotalMs, long BytesSent, long MemoryBytes, long RootfsBytes) : AgentEvent
{
    /// <summary>Memory that was sent while the container was stopped; the rest was there before.</summary>
    public long FrozenMemoryBytes { get; init; }

    /// <summary>Bytes of datagrams that this peer sent for it: repetitions, acknowledgements and headers included.</summary>
    public long WireBytes { get; init; }

    /// <summary>Rounds while the container ran.</summary>
    public int Rounds { get; init; }

    /// <summary>The downtime that was predicted when the container was stopped; left out where nothing was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PredictedDowntimeMs { get; init; }

    /// <summary>Where the downtime went, in the order in which it happened.</summary>
    public IReadOnlyList<PhaseDuration> Downtime { get; init; } = [];

    /// <summary>What is left to do by hand, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    public override string ToLine() =>
        $"{Container} runs at the target. Downtime {Milliseconds(DowntimeMs)}" +
        (PredictedDowntimeMs is { } predicted ? $" ({Milliseconds(predicted)} predicted)" : "") + $", total {Milliseconds(TotalMs)}, path {Path}, " +
        $"{ByteText.Of(BytesSent)} sent (memory {ByteText.Of(MemoryBytes)}, {ByteText.Of(FrozenMemoryBytes)} of it while stopped, root file system {ByteText.Of(RootfsBytes)}). " +
        $"Downtime: {string.Join(", ", Downtime.Select(part => $"{part.Phase} {Milliseconds(part.Ms)}"))}." +
        (Warning is null ? "" : $"\n{Warning}");
}

/// <summary>How long one phase of the downtime took.</summary>
internal sealed record PhaseDuration(string Phase, double Ms);

/// <summary>The migration did not happen. <paramref name="RunningAt"/> is <c>source</c>, <c>target</c> or <c>none</c>.</summary>
internal sealed record MigrationFailed(string Reason, string RunningAt) : AgentEvent
{
    /// <summary>What to type or change next, if anything.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Remedy { get; init; }

    /// <summary>Has the container ended, at the source?</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool HasEnded { get; init; }

    public override string ToLine()
    {
        string where = RunningAt == "none" ? "" : $" The container runs at the {RunningAt}.";
        return $"Failed: {Reason}{where}" + (Remedy is null ? "" : $"\n{Remedy}");
    }
}

/// <summary>A container arrived and runs here.</summary>
internal sealed record ContainerReceived(string Container, string Peer, string Path, double TotalMs) : AgentEvent
{
    /// <summary>What it still needs of this machine, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    public override string ToLine() => $"{Container} runs here now (from {Peer}, path {Path}, {Milliseconds(TotalMs)})." + (Warning is null ? "" : $"\n{Warning}");
}

/// <summary>A migration to this machine did not happen; nothing of it is left here, unless <see cref="Remedy"/> says what to do about it.</summary>
internal sealed record ReceptionFailed(string Peer, string Reason) : AgentEvent
{
    /// <summary>What to type next, if anything.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Remedy { get; init; }

    public override string ToLine() => $"No container from {Peer}: {Reason}" + (Remedy is null ? "" : $"\n{Remedy}");
}

/// <summary>What <c>ping</c> found out. <paramref name="DirectMs"/> is null when no direct path was found in time.</summary>
internal sealed record PingCompleted(string Path, string Remote, double RttMs, double FirstByteMs, double? DirectMs) : AgentEvent
{
    public override string ToLine() =>
        $"{Path} to {Remote}: round trip {Milliseconds(RttMs)}, first byte after {Milliseconds(FirstByteMs)}, " +
        (DirectMs is { } direct ? $"direct after {Milliseconds(direct)}." : "no direct path.");
}

/// <summary>
/// How fast the tunnel is. The last line of <c>speedtest</c> is called <c>completed</c> like that of <c>migrate</c>, and one
/// set of derived types cannot hold two of a name: this one brings its name itself.
/// </summary>
internal sealed record SpeedCompleted(
    double MbitPerSecond, string Path, double CpuSecondsPerGB, double RttMs, double Seconds, long Bytes, string Cipher, string Direction) : AgentEvent
{
    /// <summary>The first property of the line.</summary>
    [JsonPropertyOrder(-1)]
    public string Event { get; } = "completed";

    public override string ToLine() => string.Create(CultureInfo.InvariantCulture,
        $"{MbitPerSecond:0.0} Mbit/s {Direction} over the {Path} path, round trip {Milliseconds(RttMs)}, {Cipher}, {CpuSecondsPerGB:0.00} CPU-seconds per GB on both ends together.");
}
