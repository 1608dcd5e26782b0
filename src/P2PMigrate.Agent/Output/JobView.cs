using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Output;

/// <summary>Turns what is known of jobs into what the user sees.</summary>
internal static class JobView
{
    /// <summary>The entry of one job.</summary>
    public static JobListed Of(KnownJob job) => new(
        job.JobId.ToString(), job.Container, job.Role == ContainerSide.None ? "" : Word(job.Role), job.Peer, job.State,
        job.RunningAt is { } place && job.Damage is null ? Word(place) : "unknown", job.Next)
    {
        BeganAt = job.BeganAt,
        Since = job.Since,
        Pid = job.ProcessId,
        Damage = job.Damage,
        Commands = job.Commands,
    };

    /// <summary>What became of an earlier job.</summary>
    public static JobRecovered Of(RecoveredJob job) =>
        new(job.JobId.ToString(), job.Container, job.Action.ToString().ToLowerInvariant(), Word(job.RunningAt), job.Message);

    /// <summary>The end of a command that a job kept from what it was asked for.</summary>
    public static MigrationFailed Failure(RecoveredJob job) => new(job.Message, Word(job.RunningAt)) { HasEnded = job.HasContainerEnded };

    /// <summary>The exit code of a command that was to end this job, and did nothing else.</summary>
    public static ExitCode CodeOf(RecoveredJob job) => job switch
    {
        { Action: RecoveryAction.InDoubt or RecoveryAction.Failed } => ExitCode.InDoubt,
        { Action: RecoveryAction.Asked or RecoveryAction.Awaits } => ExitCode.NotYet,
        { HasContainerEnded: true } => ExitCode.Ended,
        _ => ExitCode.Done,
    };

    /// <summary>Shows what became of a job that somebody named, and says it with the exit code.</summary>
    public static ExitCode Show(IOutput output, RecoveredJob job)
    {
        ExitCode code = CodeOf(job);
        output.Show(code is ExitCode.InDoubt or ExitCode.NotYet ? Failure(job) : Of(job));
        return code;
    }

    private static string Word(ContainerSide side) => side.ToString().ToLowerInvariant();
}
