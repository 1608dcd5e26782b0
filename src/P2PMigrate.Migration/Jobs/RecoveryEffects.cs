using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Does to an unfinished job what the rules or a person decided. Each method can be repeated after a crash in the middle of it.</summary>
internal sealed class RecoveryEffects(MigrationEnvironment environment)
{
    private readonly StageClaims _claims = new(environment);

    /// <summary>Does the runtime find a container here that this job stopped? Then this is its source.</summary>
    public async Task<bool> HasFenceAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        IFence? fence = await ReopenAsync(job, cancellationToken).ConfigureAwait(false);
        await QuietDisposal.OfAsync(fence, environment.Logger).ConfigureAwait(false);
        return fence is not null;
    }

    /// <summary>Source: is what it stopped still there?</summary>
    public async Task<bool> IsFrozenAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        IFence? fence = await ReopenAsync(job, cancellationToken).ConfigureAwait(false);
        await QuietDisposal.OfAsync(fence, environment.Logger).ConfigureAwait(false);
        return fence is { IsAlive: true };
    }

    /// <summary>Throws <see cref="ContainerException"/> when the container's runtime is not among those of this program, which then sees neither a fence nor a container.</summary>
    public void RequireRuntime(UnfinishedJob job)
    {
        if (job.Head is { } head && environment.Runtime.Of(head.Runtime) is null)
        {
            throw new ContainerException(
                $"'{head.Container.Value}' is a container of {head.Runtime}, which this command was told not to use or does not find on this machine. Nothing was done to it; type the same without --runtime.");
        }
    }

    /// <summary>Source: lets the container run here again, if there is anything to thaw. False when it runs nowhere: it has ended.</summary>
    // spec: MIG-14
    public async Task<bool> ThawAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        IFence? fence = await ReopenAsync(job, cancellationToken).ConfigureAwait(false);
        bool lives;
        if (fence is null)
            lives = await LivesAsync(job).ConfigureAwait(false);
        else
            await using (fence.ConfigureAwait(false))
                lives = await fence.ThawAsync(cancellationToken).ConfigureAwait(false);
        Forget(job, (int)SourceState.RolledBack);
        return lives;
    }

    /// <summary>Source: is the container here that nothing of this job holds?</summary>
    public async Task<bool> LivesAsync(UnfinishedJob job) =>
        job.Head is not { } head || await EndedContainer.LivesAsync(environment.Runtime, head.Runtime, head.Container.Value).ConfigureAwait(false);

    /// <summary>Source: destroys the frozen copy and, if it was received here, its bundle.</summary>
    public async Task DestroyAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        if (RecoveryMessage.IsLacking(job.Contents))
            job.Journal!.Append((int)SourceState.Destroying, environment.Time.GetUtcNow()); // from here on nothing of it is needed
        IFence? fence = await ReopenAsync(job, cancellationToken).ConfigureAwait(false);
        if (fence is not null)
        {
            await using (fence.ConfigureAwait(false))
                await fence.DestroyAsync(cancellationToken).ConfigureAwait(false);
        }

        // What is found by its name alone may be a later container, which runs from these files.
        if (job.Head is { } head && (fence is not null || !await LivesAsync(head, cancellationToken).ConfigureAwait(false)))
            FilesOf(job).RemoveBundleIfOurs(head.Container, head.BundlePath);
        Forget(job, (int)SourceState.Completed);
    }

    /// <summary>Source: has the dump left memory here that can still be given? Whatever the journal says: the target may run without its having been heard.</summary>
    // spec: MIG-104
    public async Task<bool> HasLeftAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        if (await ReopenAsync(job, cancellationToken).ConfigureAwait(false) is not { } fence)
            return false;
        await using (fence.ConfigureAwait(false))
        {
            try
            {
                using IRemainingMemory? left = fence.OpenRemaining();
                return left is not null;
            }
            catch (ContainerException)
            {
                return fence.IsAlive; // what cannot be read now is not lost; what has ended is
            }
        }
    }

    /// <summary>Source: was memory lost here that the container at the target needed?</summary>
    // spec: MIG-104
    public async Task<bool> HasLostAsync(UnfinishedJob job, CancellationToken cancellationToken) =>
        RecoveryMessage.IsLacking(job.Contents) && !await HasLeftAsync(job, cancellationToken).ConfigureAwait(false);

    /// <summary>Source: gives the target what was left here; false when nothing was. Throws <see cref="MigrationException"/> when the target takes none of it for too long.</summary>
    // spec: MIG-105
    public async Task<bool> TryGiveAsync(UnfinishedJob job, ITunnelSession session, CancellationToken cancellationToken)
    {
        if (await ReopenAsync(job, cancellationToken).ConfigureAwait(false) is not { } fence)
            return false;
        await using (fence.ConfigureAwait(false))
        {
            if (fence.OpenRemaining() is not { } left)
                return false;
            await GiveAsync(session, job.JobId, left, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private async Task GiveAsync(ITunnelSession session, JobId job, IRemainingMemory left, CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(environment.Timers.CopyStall);
        using var key = PageKey.Create();
        var giver = new MemoryGiver(environment, session, job, left, (key, new PageBook(0)), new TransferMeter(() => stall.CancelAfter(environment.Timers.CopyStall)));
        await using (giver.ConfigureAwait(false))
        {
            try
            {
                await giver.BeginAsync(stall.Token).ConfigureAwait(false);
                await giver.GiveAsync(stall.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw PeerFault.Of("has taken nothing for too long of the memory that it lacks");
            }
        }
    }

    /// <summary>Target: removes what a restore has made. Throws when that was let run, and was left alone.</summary>
    public static async Task RemoveRestoredAsync(IContainerRuntime runtime, RestoreRequest request)
    {
        await runtime.CleanUpAsync(request, CancellationToken.None).ConfigureAwait(false);
        if (await runtime.FindRestoredAsync(request, CancellationToken.None).ConfigureAwait(false) == RestoredState.Runs)
            throw new ContainerException($"'{request.Container.Name}' runs here, and was left alone.");
    }

    /// <summary>Target: removes everything of the job. The bundle goes too: nobody runs from it.</summary>
    // spec: MIG-46
    public async Task CleanUpAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        JournalHead head = job.Head!;
        JobFiles files = FilesOf(job);
        if (job.Contents?.LastState != (int)TargetState.Aborted)
        {
            await environment.Runtime.CleanUpAsync(RequestOf(head, files), cancellationToken).ConfigureAwait(false);
            await RefuseIfRunningAsync(head, cancellationToken).ConfigureAwait(false);
            files.RemoveBundle(head.Container);
        }

        await _claims.GiveUpAsync(head, cancellationToken).ConfigureAwait(false);
        Forget(job, (int)TargetState.Aborted);
    }

    /// <summary>Target: what its copy says of a job of which the journal says only that it may run.</summary>
    // spec: MIG-59
    public Task<RestoredState> FindRestoredAsync(UnfinishedJob job, CancellationToken cancellationToken) =>
        environment.Runtime.FindRestoredAsync(RequestOf(job.Head!, FilesOf(job)), cancellationToken);

    /// <summary>Target: makes sure that the container runs here, on its network, and writes it down; throws <see cref="ContainerException"/> when it does not.</summary>
    // spec: MIG-58, MIG-192
    public async Task KeepAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        try
        {
            await environment.Runtime.KeepAsync(RequestOf(job.Head!, FilesOf(job)), cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException refused)
        {
            throw new ContainerException(
                $"{refused.Message} To keep the source, type: p2pmigrate resolve {job.JobId} --keep source; and then the same at the source.", refused.LogPath, refused);
        }

        if (job.Contents is { LastState: < (int)TargetState.Confirming })
            job.Journal!.Append((int)TargetState.Confirming, environment.Time.GetUtcNow());
    }

    /// <summary>Target: waits until the container that runs here needs nothing of the job any more; throws <see cref="ContainerException"/> when that cannot come.</summary>
    // spec: MIG-100
    public async Task CompleteAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        // Whatever the journal said when it was opened, if it could be read: the copy may have come further since.
        if (job.Head is not { Role: JobRole.Target } head || !Directory.Exists(FilesOf(job).Work))
            return;
        RequireRuntime(job);
        await CompleteAsync(environment.Runtime, RequestOf(head, FilesOf(job)), job.JobId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same, of a job whose process lives. Where memory lacks that is still at the source, the exception says how to go on there.</summary>
    // spec: MIG-100, MIG-104
    public static async Task CompleteAsync(IContainerRuntime runtime, RestoreRequest request, JobId job, CancellationToken cancellationToken)
    {
        try
        {
            await runtime.CompleteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException failed) when (runtime.LacksMemory(request))
        {
            throw new ContainerException(
                $"{failed.Message} Memory of it is still at the source, whose copy can go on instead, as it was when it was stopped; when nothing of it runs here any more, type here: p2pmigrate resolve {job} --keep source", failed.LogPath, failed);
        }
    }

    /// <summary>Target: does the container run here, and lack memory that only its source has?</summary>
    // spec: MIG-105
    public async Task<bool> AwaitsMemoryAsync(UnfinishedJob job, CancellationToken cancellationToken) =>
        job.Head is { Role: JobRole.Target } head && environment.Runtime.Of(head.Runtime) is not null && Directory.Exists(FilesOf(job).Work) && environment.Runtime.LacksMemory(RequestOf(head, FilesOf(job)))
        && await RuntimeOf(head).LivesFromAsync(head.Container.Value, environment.State.Bundle(head.Container), cancellationToken).ConfigureAwait(false);

    /// <summary>Clean-up leaves a container alone that was released and runs; then its files are not taken from under it either.</summary>
    private async Task RefuseIfRunningAsync(JournalHead head, CancellationToken cancellationToken)
    {
        string container = head.Container.Value;
        if (!await RuntimeOf(head).LivesFromAsync(container, environment.State.Bundle(head.Container), cancellationToken).ConfigureAwait(false))
            return;
        throw new ContainerException(
            $"'{container}' runs here, so its files stay. If the source's copy is to be kept, end this one first ({RuntimeOf(head).KillCommand(container)}), then type the same again.");
    }

    private IContainerRuntime RuntimeOf(JournalHead head) => environment.Runtime.Of(head.Runtime) ?? environment.Runtime;

    /// <summary>By the word of its own runtime: another one may have a container of that name. Throws when that gives none; then nothing may be removed.</summary>
    private Task<bool> LivesAsync(JournalHead head, CancellationToken cancellationToken) => RuntimeOf(head).LivesAsync(head.Container.Value, cancellationToken);

    /// <summary>Removes the job's own directory and journal; <paramref name="end"/> is written first unless it is there.</summary>
    public void Forget(UnfinishedJob job, int? end = null)
    {
        if (end is { } state && job.Contents is { } contents && contents.LastState != state)
            job.Journal!.Append(state, environment.Time.GetUtcNow());
        FilesOf(job).Remove();
        if (job.Journal is not { } journal)
            File.Delete(environment.State.Journal(job.JobId));
        else if (job.Contents!.MayBeAskedFor)
            journal.SetAside(environment.State.Ended);
        else
            journal.Delete();
    }

    private async Task<IFence?> ReopenAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        string work = FilesOf(job).Work;
        return Directory.Exists(work) ? await environment.Runtime.ReopenFenceAsync(work, cancellationToken).ConfigureAwait(false) : null;
    }

    private JobFiles FilesOf(UnfinishedJob job) => new(environment.State, job.JobId);

    /// <summary>Target: what was to be restored, as far as the journal tells.</summary>
    public RestoreRequest RequestOf(JournalHead head, JobFiles files)
    {
        string bundle = environment.State.Bundle(head.Container);
        string configuration = Path.Combine(bundle, "config.json");
        return new RestoreRequest
        {
            Container = new ContainerDescription
            {
                Name = head.Container.Value,
                Runtime = head.Runtime,
                BundlePath = bundle,
                RootPath = environment.State.Rootfs(head.Container),
                Configuration = File.Exists(configuration) ? File.ReadAllBytes(configuration) : default,
            },
            BundlePath = bundle,
            RootPath = environment.State.Rootfs(head.Container),
            ImageDirectory = files.Images,
            WorkDirectory = files.Work,
        };
    }
}
