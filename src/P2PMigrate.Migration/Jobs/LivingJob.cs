using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Waits for the end of a job that another process works on, after asking it to stop.</summary>
internal sealed class LivingJob(MigrationEnvironment environment, JobId job, JournalView view)
{
    /// <summary>
    /// Asks for the end and waits for it. The job when its process has left it unfinished, null when it has ended and is gone. Throws <see cref="MigrationException"/> at
    /// once when it has committed, and <see cref="TimeoutException"/> when it has not ended in time; the request stays.
    /// </summary>
    // spec: MIG-131
    public async Task<UnfinishedJob?> StopAsync(CancellationToken cancellationToken)
    {
        string path = environment.State.Journal(job);
        long start = environment.Time.GetTimestamp();
        while (File.Exists(path))
        {
            if (UnfinishedJob.Find(environment.State, job) is { } left)
                return left;
            RefuseIfCommitted();
            if (environment.Time.GetElapsedTime(start) > environment.Timers.AbortPatience)
                throw new TimeoutException(view.FindOwner(path) is { } process ? $"process {process}" : "the process that works on it");
            AbortRequest.TryMake(environment.State, job);
            await Task.Delay(environment.Timers.AbortLook, environment.Time, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>How a job ended that is gone, by the last record of its deleted journal.</summary>
    public async Task<RecoveredJob> FindEndAsync()
    {
        if (view.Read().Contents is not { } contents)
            throw new MigrationException(MigrationFault.UnknownJob, $"Job {job} has ended, and nobody knows how: its journal could not be read.", job);
        string name = contents.Head.Container.Value;
        return (contents.Head.Role, contents.LastState) switch
        {
            (JobRole.Source, (int)SourceState.RolledBack) when !await EndedContainer.LivesAsync(environment.Runtime, contents.Head.Runtime, name).ConfigureAwait(false) =>
                RecoveryMessage.Gone(job, contents.Head, environment.Runtime),
            (JobRole.Source, (int)SourceState.RolledBack) => new RecoveredJob(
                job, name, RecoveryAction.Thawed, ContainerSide.Source, $"The migration of '{name}' was stopped; '{name}' runs here as before."),
            (JobRole.Target, (int)TargetState.Aborted) => new RecoveredJob(
                job, name, RecoveryAction.CleanedUp, ContainerSide.Source, $"The migration of '{name}' to this machine was stopped; nothing of it is left here."),
            _ => throw new MigrationException(MigrationFault.WrongState, $"It was too late to stop job {job}: '{name}' runs at the target.", job),
        };
    }

    /// <summary>What is so when <paramref name="who"/> has not ended it in time.</summary>
    public RecoveredJob Asked(string who)
    {
        KnownJob? known = view.Read().Contents is { } contents ? JobStanding.Of(contents, view.FindOwner(environment.State.Journal(job))) : null;
        return new RecoveredJob(
            job, known?.Container ?? "", RecoveryAction.Asked, known?.RunningAt ?? ContainerSide.None,
            $"Job {job} was told to stop, and {who} has not come to that in {environment.Timers.AbortPatience.TotalSeconds:0} s. It stops as soon as it looks, unless it has committed by then; "
            + "see what became of it with: p2pmigrate jobs");
    }

    private void RefuseIfCommitted()
    {
        if (view.Read().Contents is not { } contents || JobStanding.MayAbort(contents, RecoveryRules.For(contents)) || contents.HasTornTail)
            return;
        throw new MigrationException(
            MigrationFault.WrongState, $"Job {job} has committed, so that it cannot be undone any more; the program that works on it brings it to its end.", job);
    }
}
