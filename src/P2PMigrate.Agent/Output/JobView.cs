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

    /// <summary>Shows what became of a job that somebody named, and says it with the exit code.</summary>
    public static ExitCode Show(IOutput output, RecoveredJob job)
    {
        if (job.Action is not (RecoveryAction.InDoubt or RecoveryAction.Failed or RecoveryAction.Asked))
        {
            output.Show(MigrationView.Of(job));
            return job.HasContainerEnded ? ExitCode.Ended : ExitCode.Done;
        }

        output.Show(new MigrationFailed(job.Message, Word(job.RunningAt)));
        return job.Action == RecoveryAction.Asked ? ExitCode.NotYet : ExitCode.InDoubt;
    }

    private static string Word(ContainerSide side) => side.ToString().ToLowerInvariant();
}
