using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;

namespace P2PMigrate.Migration;

/// <summary>What an agent does about jobs that an earlier process of it left unfinished. Jobs of a process that lives are left alone.</summary>
public sealed class JobRecovery(MigrationEnvironment environment)
{
    private readonly RecoveryEffects _effects = new(environment);
    private readonly StageClaims _claims = new(environment);

    /// <summary>
    /// On start of <c>receive</c>: every unfinished job of the target role is cleaned up, unless its commit was heard. One entry per job
    /// found; a job that could not be cleaned is among them and says why. One whose container lacks memory that its source has to send is left as it is (<see cref="RecoveryAction.Awaits"/>), to be ended by <see cref="ResumeAsync"/>, which waits
    /// for that, while this machine can be met.
    /// </summary>
    public Task<IReadOnlyList<RecoveredJob>> RecoverTargetAsync(CancellationToken cancellationToken = default) =>
        RecoverAsync(JobRole.Target, null, cancellationToken);

    /// <summary>
    /// On start of <c>migrate</c>: unfinished jobs of the source role of this container (or of all, when null) are rolled back when they had not
    /// committed, and finished when the target was heard running. A job in between is reported as <see cref="RecoveryAction.InDoubt"/> and
    /// nothing is done to it: the caller refuses to go on and shows <see cref="RecoveredJob.Message"/>. A job that brought this container here, and has ended but for its
    /// journal, is forgotten: else the container could not go on.
    /// </summary>
    public Task<IReadOnlyList<RecoveredJob>> RecoverSourceAsync(string? container = null, CancellationToken cancellationToken = default)
    {
        if (container is null)
            return RecoverAsync(JobRole.Source, null, cancellationToken);
        return ContainerName.TryParse(container, out ContainerName name)
            ? RecoverAsync(JobRole.Source, name, cancellationToken)
            : Task.FromResult<IReadOnlyList<RecoveredJob>>([]);
    }

    /// <summary>
    /// A person's word on a job in doubt, at the side where it is typed. Source: keep the source (thaw; risks a second copy if the target runs) or
    /// the target (destroy; risks the only copy if it does not). Target: keep the target (put it on its network, forget the job) or the source (remove the copy here).
    /// Throws <see cref="MigrationException"/> when there is no such job, or it needs no such word, and <see cref="ContainerException"/> when it
    /// cannot be done: the target is kept at the target only if it runs there by the runtime's word.
    /// </summary>
    // spec: MIG-56
    public Task<RecoveredJob> ResolveAsync(JobId job, ContainerSide keep, CancellationToken cancellationToken = default) => ResolveAsync(job, keep, LostForGood.Nothing, cancellationToken);

    /// <summary>
    /// The same, where the person says what is <paramref name="lost"/>: of a stage, the place of its dump, which else is asked first (<see cref="Depots.PlaceException"/> when it cannot be); of a container
    /// whose memory is here in part, the target, whose copy else needs that: it is refused.
    /// </summary>
    public async Task<RecoveredJob> ResolveAsync(JobId job, ContainerSide keep, LostForGood lost, CancellationToken cancellationToken)
    {
        using UnfinishedJob unfinished = UnfinishedJob.Find(environment.State, job)
            ?? throw new MigrationException(MigrationFault.UnknownJob, $"There is no unfinished job {job} here, or a process works on it right now.", job);
        if (unfinished.Head is null && !Directory.Exists(environment.State.Job(job)))
            return await FinishAsync(unfinished, RecoveryAction.Forgotten, cancellationToken).ConfigureAwait(false);
        if (unfinished.Head is null && !await _effects.HasFenceAsync(unfinished, cancellationToken).ConfigureAwait(false))
            throw NobodyKnows(unfinished);
        bool isTargetJob = unfinished.Head?.Role == JobRole.Target;
        bool mayTargetRun = unfinished.Contents is null || RecoveryRules.For(unfinished.Contents) is RecoveryAction.InDoubt;
        bool placeIsLost = lost.HasFlag(LostForGood.Place);
        bool isTargetLost = keep == ContainerSide.Source && lost.HasFlag(LostForGood.Target);
        if (!isTargetJob && mayTargetRun && !isTargetLost && await _effects.HasLeftAsync(unfinished, cancellationToken).ConfigureAwait(false))
            throw new MigrationException(MigrationFault.WrongState, RecoveryMessage.IsNeeded(unfinished), job); // spec: MIG-104
        return (isTargetJob, keep) switch
        {
            (_, ContainerSide.None) => throw new MigrationException(MigrationFault.WrongState, "Say which copy to keep: source or target.", job),
            (_, ContainerSide.Target) when !mayTargetRun => throw new MigrationException(
                MigrationFault.WrongState, $"Job {job} had not committed, so nothing can run at the target; the next start undoes it.", job),
            (false, ContainerSide.Source) => await ThawAsync(unfinished, placeIsLost, cancellationToken).ConfigureAwait(false),
            (false, _) => await DestroyAsync(unfinished, placeIsLost, cancellationToken).ConfigureAwait(false),
            (true, ContainerSide.Source) => await FinishAsync(unfinished, RecoveryAction.CleanedUp, cancellationToken).ConfigureAwait(false),
            (true, _) => await KeepAsync(unfinished, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>
    /// Undoes one job here, also one that a living process works on: that one is asked to stop, and its end is waited for. Throws <see cref="MigrationException"/> when there is
    /// no such job, or when it is too late; the message says what to do. <see cref="RecoveryAction.Failed"/> when it could not be undone, <see cref="RecoveryAction.Asked"/> when
    /// its process did not come to an end in time.
    /// </summary>
    // spec: MIG-131
    public async Task<RecoveredJob> AbortAsync(JobId job, CancellationToken cancellationToken = default)
    {
        using JournalView view = JournalView.TryOpen(environment.State.Journal(job)) ?? throw Unknown(job);
        var living = new LivingJob(environment, job, view);
        try
        {
            using UnfinishedJob? left = await living.StopAsync(cancellationToken).ConfigureAwait(false);
            return left is null ? await living.FindEndAsync().ConfigureAwait(false) : await UndoAsync(left, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            return living.Asked(late.Message);
        }
    }

    /// <summary>
    /// Does for one job what the next start would do: undoes it, finishes it, or leaves it <see cref="RecoveryAction.InDoubt"/>. Throws <see cref="MigrationException"/> when there is
    /// no such job, or a living process works on it.
    /// </summary>
    // spec: MIG-132
    public async Task<RecoveredJob> ResumeAsync(JobId job, CancellationToken cancellationToken = default)
    {
        using UnfinishedJob? unfinished = UnfinishedJob.Find(environment.State, job);
        if (unfinished is null)
        {
            throw File.Exists(environment.State.Journal(job))
                ? new MigrationException(MigrationFault.WrongState, $"A program works on job {job} right now and brings it to its end; to stop it, type: p2pmigrate abort {job}", job)
                : Unknown(job);
        }

        return await RecoverOneAsync(unfinished, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Does to a source's job in doubt what follows from the target's word. One that is not in doubt, or not there any more, is left alone, and null returned; so is one of which the target's word says
    /// nothing, which is reported as <see cref="RecoveryAction.InDoubt"/>, or <see cref="RecoveryAction.Asked"/>, with what the target said.
    /// </summary>
    // spec: MIG-191
    internal async Task<RecoveredJob?> HearAsync(JobId job, JobFate fate, CancellationToken cancellationToken)
    {
        using UnfinishedJob? unfinished = UnfinishedJob.Find(environment.State, job);
        if (unfinished is null || !DoubtInquiry.IsOpen(unfinished.Head, unfinished.Contents))
            return null;
        using FileLock? turn = FileLock.TryTake(environment.State.Lock(unfinished.Head!.Container));
        if (turn is null)
            return RecoveryMessage.InDoubt(unfinished);
        try
        {
            RecoveredJob? done = fate switch
            {
                JobFate.Runs => await FinishAsync(unfinished, RecoveryAction.Destroyed, cancellationToken).ConfigureAwait(false),
                JobFate.Gone => await FinishAsync(unfinished, RecoveryAction.Thawed, cancellationToken).ConfigureAwait(false),
                _ => null,
            };
            return RecoveryMessage.Heard(unfinished, fate, done);
        }
        catch (Exception exception) when (exception is ContainerException or IOException or UnauthorizedAccessException)
        {
            return RecoveryMessage.Failed(unfinished, exception.Message);
        }
    }

    /// <summary>
    /// Gives the target, at the other end of <paramref name="session"/>, what it lacks of a container that runs there and whose memory has been left here, and then ends the job. Null when nothing has been left, or another process is about it.
    /// Throws <see cref="MigrationException"/> or <see cref="Tunnel.TunnelException"/> when that breaks off.
    /// </summary>
    // spec: MIG-105
    internal async Task<RecoveredJob?> GiveAsync(Tunnel.ITunnelSession session, JobId job, CancellationToken cancellationToken)
    {
        using UnfinishedJob? unfinished = UnfinishedJob.Find(environment.State, job);
        if (unfinished is null || !DoubtInquiry.IsOpen(unfinished.Head, unfinished.Contents))
            return null;
        using FileLock? turn = FileLock.TryTake(environment.State.Lock(unfinished.Head!.Container));
        if (turn is null)
            return null;
        try
        {
            if (await _effects.TryGiveAsync(unfinished, session, cancellationToken).ConfigureAwait(false))
                return await FinishAsync(unfinished, RecoveryAction.Destroyed, CancellationToken.None).ConfigureAwait(false);
            return await _effects.HasLostAsync(unfinished, cancellationToken).ConfigureAwait(false) ? RecoveryMessage.MemoryLost(unfinished) : null;
        }
        catch (Exception exception) when (exception is ContainerException or IOException or UnauthorizedAccessException)
        {
            return RecoveryMessage.Failed(unfinished, exception.Message);
        }
    }

    // spec: MIG-150
    private MigrationException NobodyKnows(UnfinishedJob job) => new(
        MigrationFault.JournalDamaged,
        $"{job.Damage} Nor does {environment.State.Job(job.JobId)} tell which side of job {job.JobId} this machine was or which container it was about, and no container here is stopped for it. "
        + $"Nothing is done in its name. When nothing of it is needed any more, remove both, and the container's files in {environment.State.Containers} if it does not run here.",
        job.JobId);

    private static MigrationException Unknown(JobId job) =>
        new(MigrationFault.UnknownJob, $"There is no unfinished job {job} here. Those that there are, are listed by: p2pmigrate jobs", job);

    private async Task<RecoveredJob> UndoAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        RecoveryAction action = job.Contents is { } contents ? RecoveryRules.For(contents) : RecoveryAction.InDoubt;
        if (action == RecoveryAction.InDoubt)
            throw new MigrationException(MigrationFault.InDoubt, RecoveryMessage.NotToBeUndone(job), job.JobId);
        if (!JobStanding.MayAbort(job.Contents!, action))
        {
            throw new MigrationException(
                MigrationFault.WrongState, $"Job {job.JobId} cannot be undone: '{job.Contents!.Head.Container.Value}' runs at the target. What is left of the job here is removed by: p2pmigrate resume {job.JobId}", job.JobId);
        }

        return await RecoverOneAsync(job, cancellationToken).ConfigureAwait(false);
    }

    // spec: DEP-24
    private async Task<RecoveredJob> ThawAsync(UnfinishedJob job, bool placeIsLost, CancellationToken cancellationToken)
    {
        if (StageClaims.WasHandedOver(job) && !placeIsLost)
        {
            _effects.RequireRuntime(job);
            if (!await _effects.IsFrozenAsync(job, cancellationToken).ConfigureAwait(false))
                throw StageOrder.NothingIsFrozen(job.Head!.Container, job.JobId, job.Head.Place);
            await _claims.TakeBackAsync(job, cancellationToken).ConfigureAwait(false);
        }

        return await FinishAsync(job, RecoveryAction.Thawed, cancellationToken).ConfigureAwait(false);
    }

    private async Task<RecoveredJob> DestroyAsync(UnfinishedJob job, bool placeIsLost, CancellationToken cancellationToken)
    {
        if (!placeIsLost)
            await _claims.RequireTakenAsync(job, cancellationToken).ConfigureAwait(false);
        return await FinishAsync(job, RecoveryAction.Destroyed, cancellationToken).ConfigureAwait(false);
    }

    // spec: MIG-58
    private async Task<RecoveredJob> KeepAsync(UnfinishedJob job, CancellationToken cancellationToken, bool waits = true)
    {
        await _effects.KeepAsync(job, cancellationToken).ConfigureAwait(false);
        return await FinishAsync(job, RecoveryAction.Forgotten, cancellationToken, waits).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<RecoveredJob>> RecoverAsync(JobRole role, ContainerName? container, CancellationToken cancellationToken)
    {
        var recovered = new List<RecoveredJob>();
        foreach (UnfinishedJob job in UnfinishedJob.FindAll(environment.State))
        {
            using (job)
            {
                if (!job.Concerns(role, container) && !(role == JobRole.Source && HasEndedHere(job, container)))
                    continue;
                RecoveredJob entry = await RecoverOneAsync(job, cancellationToken, waits: false).ConfigureAwait(false);
                Log.JobRecovered(environment.Logger, entry.JobId, entry.Container, entry.Action, entry.Message);
                recovered.Add(entry);
            }
        }

        if (Directory.Exists(environment.State.Chunks))
            environment.State.ChunkStore.Trim(environment.StoreBytes);
        return recovered;
    }

    // spec: MIG-134
    private static bool HasEndedHere(UnfinishedJob job, ContainerName? container) =>
        container is not null && job.Contents is { } contents && job.Concerns(JobRole.Target, container) && RecoveryRules.For(contents) == RecoveryAction.Forgotten;

    private async Task<RecoveredJob> RecoverOneAsync(UnfinishedJob job, CancellationToken cancellationToken, bool waits = true)
    {
        RecoveryAction action = job.Contents is { } contents ? RecoveryRules.For(contents) : RecoveryAction.InDoubt;
        try
        {
            return action == RecoveryAction.InDoubt
                ? await JudgeAsync(job, waits, cancellationToken).ConfigureAwait(false)
                : await FinishAsync(job, action, cancellationToken, waits).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ContainerException or IOException or UnauthorizedAccessException)
        {
            return RecoveryMessage.Failed(job, exception.Message);
        }
    }

    /// <summary>The journal leaves a doubt, which the copy here may end.</summary>
    // spec: MIG-59
    private async Task<RecoveredJob> JudgeAsync(UnfinishedJob job, bool waits, CancellationToken cancellationToken)
    {
        if (job.Contents is not { Head.Role: JobRole.Target })
            return await _effects.HasLostAsync(job, cancellationToken).ConfigureAwait(false) ? RecoveryMessage.MemoryLost(job) : RecoveryMessage.InDoubt(job);
        _effects.RequireRuntime(job);
        RestoredState state;
        try
        {
            state = await _effects.FindRestoredAsync(job, cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException failed)
        {
            RecoveredJob doubt = RecoveryMessage.InDoubt(job);
            return doubt with { Message = $"{failed.Message} {doubt.Message}" };
        }

        return state switch
        {
            RestoredState.NeverRan => await FinishAsync(job, RecoveryAction.CleanedUp, cancellationToken).ConfigureAwait(false),
            RestoredState.Runs => RecoveryMessage.Arrived(job, await KeepAsync(job, cancellationToken, waits).ConfigureAwait(false)),
            _ => RecoveryMessage.InDoubt(job),
        };
    }

    private async Task<RecoveredJob> FinishAsync(UnfinishedJob job, RecoveryAction action, CancellationToken cancellationToken, bool waits = true)
    {
        if (action != RecoveryAction.Forgotten)
            _effects.RequireRuntime(job);
        bool lives = true;
        switch (action)
        {
            case RecoveryAction.Thawed:
                lives = await _effects.ThawAsync(job, cancellationToken).ConfigureAwait(false);
                break;
            case RecoveryAction.Destroyed:
                await _effects.DestroyAsync(job, cancellationToken).ConfigureAwait(false);
                break;
            case RecoveryAction.CleanedUp:
                await _effects.CleanUpAsync(job, cancellationToken).ConfigureAwait(false);
                break;
            default:
                if (!waits && await _effects.AwaitsMemoryAsync(job, cancellationToken).ConfigureAwait(false))
                    return RecoveryMessage.Awaits(job);
                await _effects.CompleteAsync(job, cancellationToken).ConfigureAwait(false);
                _effects.Forget(job);
                lives = job.Contents is not { Head.Role: JobRole.Source, LastState: (int)SourceState.RolledBack } || await _effects.LivesAsync(job).ConfigureAwait(false);
                break;
        }

        // What a target gives up, or has taken and not finished, is to be restored yet.
        if (action == RecoveryAction.Thawed || (action == RecoveryAction.Forgotten && job.Head?.Role == JobRole.Target))
            await _claims.TidyAsync(job.Head).ConfigureAwait(false);
        return lives ? RecoveryMessage.Done(job, action) : RecoveryMessage.Gone(job.JobId, job.Head, environment.Runtime);
    }
}
