using System.Globalization;
using System.Text.Json.Serialization;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Output;

/// <summary>A container is in a file; it goes on, or has ended.</summary>
internal sealed record ArchiveWritten(
    string Container, string File, long ArchiveBytes, long MemoryBytes, long RootfsBytes, double FrozenMs, string RunningAt) : AgentEvent
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    /// <summary>Was it to go on here, and has ended?</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool HasEnded { get; init; }

    public override string ToLine() =>
        $"{Container} is in {File}, {ByteText.Of(ArchiveBytes)} (memory {ByteText.Of(MemoryBytes)}, files {ByteText.Of(RootfsBytes)}). " +
        (RunningAt == "source" ? $"It runs on here, after a pause of {Milliseconds(FrozenMs)}." : "It does not run here any more.") +
        (Warning is null ? "" : $"\n{Warning}");
}

/// <summary>The container of an archive runs here.</summary>
internal sealed record ArchiveRestored(string Container, DateTimeOffset CreatedAt, long MemoryBytes, double TotalMs) : AgentEvent
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    public override string ToLine() => string.Create(CultureInfo.InvariantCulture,
        $"{Container} runs here as it was at {CreatedAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}, after {Duration(TotalMs)}.") + (Warning is null ? "" : $"\n{Warning}");
}

/// <summary>Turns what a checkpoint or a restore says at its end into what the user sees, and into an exit code.</summary>
internal static class ArchiveView
{
    /// <summary>The last event of <c>checkpoint</c> and its exit code.</summary>
    public static (AgentEvent Event, ExitCode Code) Of(MigrationOutcome outcome, string file) => outcome is CheckpointCompleted completed
        ? (new ArchiveWritten(
            completed.Container, file == "-" ? "the pipe" : file, completed.ArchiveBytes, completed.MemoryBytes, completed.RootfsBytes,
            Math.Round(completed.Frozen.TotalMilliseconds, 1), completed.IsLeftRunning && completed.Warning is null ? "source" : "none") { Warning = completed.Warning, HasEnded = completed.HasContainerEnded },
            completed.HasContainerEnded ? ExitCode.Ended : completed.Warning is null ? ExitCode.Done : ExitCode.InDoubt)
        : outcome is Migration.MigrationFailed { IsInDoubt: true } failed ? (new MigrationFailed(failed.Reason, "none"), ExitCode.InDoubt)
        : MigrationView.Of(outcome);

    /// <summary>The last event of <c>restore</c> and its exit code.</summary>
    // spec: ARC-23
    public static (AgentEvent Event, ExitCode Code) Of(MigrationOutcome outcome) => outcome switch
    {
        RestoreCompleted completed => (
            new ArchiveRestored(completed.Container, completed.CreatedAt, completed.MemoryBytes, Math.Round(completed.Total.TotalMilliseconds, 1))
            {
                Warning = completed.WasLeftRunning
                    ? $"{completed.Container} was left running where the archive was made: if it still runs there, there are two of it now." : null,
            }, ExitCode.Done),
        Migration.MigrationFailed { IsInDoubt: true } failed => (new MigrationFailed(failed.Reason, "none"), ExitCode.InDoubt),
        Migration.MigrationFailed { Kind: FailureKind.Preflight } failed => (new MigrationFailed(failed.Reason, "none"), ExitCode.Preflight),
        Migration.MigrationFailed failed => (new MigrationFailed(failed.Reason, "none"), ExitCode.NotRestored),
        _ => throw new InvalidOperationException($"No view of {outcome.GetType()}."),
    };
}
