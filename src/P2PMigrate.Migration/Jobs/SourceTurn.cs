using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Jobs;

/// <summary>A container's turn to leave: nobody else moves it meanwhile, and no earlier job of it is open.</summary>
internal static class SourceTurn
{
    /// <summary>Takes the container's lock, or throws <see cref="MigrationException"/> and says why it cannot be had. The state directory is there.</summary>
    // spec: MIG-06, MIG-134
    public static FileLock Take(MigrationEnvironment environment, ContainerName name)
    {
        FileLock turn = FileLock.TryTake(environment.State.Lock(name))
            ?? throw new MigrationException(MigrationFault.AlreadyMigrating, $"'{name}' takes part in another migration right now.");
        try
        {
            RefuseIfUnfinished(environment, name);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>Makes the job's directories and its journal.</summary>
    public static JobJournal Begin(MigrationEnvironment environment, JournalHead head)
    {
        new JobFiles(environment.State, head.JobId).Create(head);
        return JobJournal.Create(environment.State.Journal(head.JobId), head);
    }

    /// <summary>Why a container of this name cannot be moved.</summary>
    public static string NameReason(string name) =>
        $"'{name}' cannot be moved under this name: letters, digits and _ . + - are fine, at most {ContainerName.LengthMax}.";

    private static void RefuseIfUnfinished(MigrationEnvironment environment, ContainerName name)
    {
        foreach (UnfinishedJob job in UnfinishedJob.FindAll(environment.State))
        {
            using (job)
            {
                if (job.Concerns(JobRole.Source, name))
                    throw new MigrationException(MigrationFault.InDoubt, RecoveryMessage.InDoubt(job).Message, job.JobId);
                if (job.Concerns(JobRole.Target, name))
                    throw StillHere(job, name);
            }
        }
    }

    /// <summary>Also where it has ended but for its journal: a record can be read that is not durable, and a later start may find the one before.</summary>
    private static MigrationException StillHere(UnfinishedJob job, ContainerName name) =>
        job.Contents is null || RecoveryRules.For(job.Contents) == RecoveryAction.InDoubt
            ? new MigrationException(MigrationFault.InDoubt, RecoveryMessage.InDoubt(job).Message, job.JobId)
            : new MigrationException(
                MigrationFault.AlreadyMigrating, $"The migration that brought '{name}' here is not forgotten yet. Type: p2pmigrate resume {job.JobId}", job.JobId);
}
