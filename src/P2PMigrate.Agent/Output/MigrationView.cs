using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;
using Completed = P2PMigrate.Migration.MigrationCompleted;
using Failed = P2PMigrate.Migration.MigrationFailed;

namespace P2PMigrate.Agent.Output;

/// <summary>Turns what a migration says into what the user sees, and its end into an exit code.</summary>
internal static class MigrationView
{
    /// <summary>The event of one step of progress.</summary>
    public static AgentEvent Of(MigrationProgress progress)
    {
        string phase = progress.Round == 0 ? PhaseText.Word(progress.Phase) : $"{PhaseText.Word(progress.Phase)} (round {progress.Round})";
        return progress.Kind switch
        {
            ProgressKind.Started => new PhaseStarted(phase),
            ProgressKind.Advanced => Progress(phase, progress),
            ProgressKind.RoundEnded => Of(progress.RoundSummary!),
            _ => new PhaseFinished(phase, progress.Elapsed.TotalMilliseconds, progress.BytesDone),
        };
    }

    private static PhaseProgressed Progress(string phase, MigrationProgress progress) => new(phase, progress.BytesDone, progress.BytesTotal)
    {
        BytesPerSecond = Math.Round(progress.BytesPerSecond),
        EtaMs = progress is { BytesTotal: { } total, BytesPerSecond: > 0 and var rate } ? Math.Round((total - progress.BytesDone) / rate * 1000) : null,
    };

    /// <summary>The event of a round.</summary>
    public static RoundCompleted Of(RoundSummary round) => new(
        round.Round, round.RootfsBytes, round.MemoryBytes, round.NewBytes, round.WireBytes, Round(round.Elapsed),
        round.Elapsed > TimeSpan.Zero ? Math.Round(round.NewBytes / round.Elapsed.TotalSeconds) : 0, Round(round.DowntimeTarget))
    {
        DirtyBytesPerSecond = round.DirtyBytesPerSecond is { } rate ? Math.Round(rate) : null,
        ExpectedBytes = round.ExpectedBytes,
        PredictedDowntimeMs = round.PredictedDowntime is { } predicted ? Round(predicted) : null,
        EtaMs = round.Remaining is { } remaining ? Round(remaining) : null,
        End = round.End == RoundsEnd.None ? null : char.ToLowerInvariant(round.End.ToString()[0]) + round.End.ToString()[1..],
        EndReason = ReasonOf(round.End),
    };

    /// <summary>The last event of <c>migrate</c> and its exit code.</summary>
    public static (AgentEvent Event, ExitCode Code) Of(MigrationOutcome outcome) => outcome switch
    {
        Completed completed => (Success(completed), ExitCode.Done),
        Failed { IsInDoubt: true, RunningAt: ContainerSide.Target } failed => (Failure(failed), ExitCode.InDoubt), // nothing is to be decided; the reason says how the rest is sent (MIG-104)
        Failed { IsInDoubt: true } failed => (InDoubt(failed), ExitCode.InDoubt),
        Failed { HasContainerEnded: true } failed => (Failure(failed) with { HasEnded = true }, ExitCode.Ended),
        Failed { Kind: FailureKind.Preflight } failed => (Failure(failed), ExitCode.Preflight),
        Failed failed => (Failure(failed), ExitCode.RunsAtSource),
        _ => throw new InvalidOperationException($"No view of {outcome.GetType()}."),
    };

    /// <summary>A finding of a check, <paramref name="where"/> being <c>here</c> or <c>target</c>.</summary>
    public static FindingMade Of(Finding finding, string where) =>
        new(finding.Severity.ToString().ToLowerInvariant(), where, finding.Subject, finding.Message, finding.Remedy);

    /// <summary>The word for a kind of path.</summary>
    public static string Word(PathKind kind) => kind switch
    {
        PathKind.Direct => "direct",
        PathKind.Turn => "turn",
        _ => "relay",
    };

    private static MigrationCompleted Success(Completed completed) => new(
        completed.Container, Word(completed.Path), Round(completed.Downtime), Round(completed.Total),
        completed.BytesSent, completed.MemoryBytes, completed.RootfsBytes)
    {
        FrozenMemoryBytes = completed.FrozenMemoryBytes,
        Rounds = completed.LastRound is { } last ? last.Round + 1 : 0,
        PredictedDowntimeMs = completed.LastRound?.PredictedDowntime is { } predicted ? Round(predicted) : null,
        Downtime =
        [
            new("freeze", Round(completed.Breakdown.Freeze)),
            new("dump", Round(completed.Breakdown.Dump)),
            new("transfer", Round(completed.Breakdown.Transfer)),
            new("apply", Round(completed.Breakdown.Apply)),
            new("verify", Round(completed.Breakdown.Verify)),
            new("restore", Round(completed.Breakdown.Restore)),
            new("flush", Round(completed.Breakdown.Flush)),
            new("commit", Round(completed.Breakdown.Commit)),
            new("release", Round(completed.Breakdown.Release)),
            new("other", Round(completed.Breakdown.Other)),
        ],
        Warning = completed.Warning,
    };

    private static string? ReasonOf(RoundsEnd end) => end switch
    {
        RoundsEnd.None => null,
        RoundsEnd.FilesConverged => "Stopping the container: the files have been copied.",
        RoundsEnd.TargetMet => "Stopping the container: the downtime is as short as wanted.",
        RoundsEnd.NotImproving => "Stopping the container: another round would not make the downtime shorter.",
        RoundsEnd.DirtierThanLink => "Stopping the container: its memory changes faster than it can be sent.",
        RoundsEnd.NoRoom => "Stopping the container: the target takes no more memory beforehand.",
        _ => "Stopping the container: these were all the rounds allowed.",
    };

    private static MigrationFailed Failure(Failed failed) =>
        new(failed.Reason, failed.RunningAt.ToString().ToLowerInvariant());

    private static MigrationFailed InDoubt(Failed failed) => new(failed.Reason, "none")
    {
        Remedy =
            $"{failed.Container} is frozen at the source. When `p2pmigrate receive` can be reached at the target again, it knows how this ended:\n" +
            $"  p2pmigrate resume {failed.JobId}\n" +
            "If it never will be, look whether the container runs there, then type one of:\n" +
            $"  p2pmigrate resolve {failed.JobId} --keep target   (it runs there: ends the frozen copy here)\n" +
            $"  p2pmigrate resolve {failed.JobId} --keep source   (it does not run there: lets it go on here)",
    };

    private static double Round(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);
}
