using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Stages;

/// <summary>What the place of a dump has to say before an unfinished stage is brought to an end, and is told afterwards. Of other jobs it says nothing.</summary>
// spec: DEP-20
internal sealed class StageClaims(MigrationEnvironment environment)
{
    /// <summary>Source: its frozen copy may be thawed if this returns. Throws <see cref="MigrationException"/> when the target has it, <see cref="PlaceException"/> when the place cannot be asked.</summary>
    // spec: DEP-24
    public async Task TakeBackAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        if (WasHandedOver(job) && !await DepotOf(job.Head!).TryTakeBackAsync(job.JobId, cancellationToken).ConfigureAwait(false))
            throw StageOrder.TargetHasIt(job.Head!.Container, job.JobId, job.Head.Place);
    }

    /// <summary>Source: its frozen copy may be ended if this returns. Throws <see cref="MigrationException"/> when no target has claimed the dump, <see cref="PlaceException"/> like above.</summary>
    public async Task RequireTakenAsync(UnfinishedJob job, CancellationToken cancellationToken)
    {
        if (WasHandedOver(job) && await DepotOf(job.Head!).ClaimOf(job.JobId).OwnerAsync(cancellationToken).ConfigureAwait(false) != ContainerSide.Target)
            throw StageOrder.NobodyHasIt(job.Head!.Container, job.JobId, job.Head.Place);
    }

    /// <summary>Target: nothing of the container is left here, so that the dump is anybody's again. Throws <see cref="PlaceException"/> when the place cannot be told.</summary>
    public async Task GiveUpAsync(JournalHead head, CancellationToken cancellationToken)
    {
        if (head is not { Kind: JobKind.Stage, Dump: { } dump })
            return;
        DumpClaim claim = DepotOf(head).ClaimOf(dump);
        if (StageImport.Of(environment.State, head.Container).TryReadToken() is { } token && await claim.IsOfTargetAsync(token, cancellationToken).ConfigureAwait(false))
            await claim.GiveUpAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The container runs where it is to run: what lies in the place, and what was imported, is needed no more. As far as the place lets go of it.</summary>
    public async Task TidyAsync(JournalHead? head)
    {
        if (head is not { Kind: JobKind.Stage })
            return;
        JobId dump = head.Dump ?? head.JobId;
        await DepotTidying.TryAsync(() => DepotOf(head).RemoveDumpAsync(dump, CancellationToken.None)).ConfigureAwait(false);
        if (head.Role == JobRole.Target)
            await DepotTidying.TryAsync(() => Task.Run(StageImport.Of(environment.State, head.Container).Remove)).ConfigureAwait(false);
    }

    /// <summary>May a target have seen the whole dump? Also where a person's word for it was carried out, but for the journal.</summary>
    public static bool WasHandedOver(UnfinishedJob job) =>
        job.Head is { Kind: JobKind.Stage, Role: JobRole.Source }
        && (job.Contents is null || RecoveryRules.For(job.Contents) is RecoveryAction.InDoubt or RecoveryAction.Destroyed || job.Contents.LastState == (int)SourceState.Completed);

    private Depot DepotOf(JournalHead head) => new(environment.OpenPlace(head.Place), head.Container);
}
