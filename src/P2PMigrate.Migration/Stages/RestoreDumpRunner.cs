using P2PMigrate.Migration.Archives;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Stages;

/// <summary>The stage <c>restore-dump</c>: runs the container whose dump lies in the place. Whatever fails before it is claimed leaves nothing here, and the dump as it was.</summary>
// spec: DEP-23
public sealed class RestoreDumpRunner(MigrationEnvironment environment, IObjectStore place)
{
    /// <summary>
    /// Every end of the restore is an outcome, like that of a <see cref="RestoreRunner"/>. Throws <see cref="MigrationException"/> when it was not begun: another stage is due, or the source or
    /// another target has the container; <see cref="PlaceException"/> when the place cannot be used.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(ContainerName name, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        environment.State.Create();
        var depot = new Depot(place, name);
        StageImport import = StageImport.Of(environment.State, name);
        using FileLock turn = import.TryLock()
            ?? throw new MigrationException(MigrationFault.AlreadyMigrating, $"'{name}' is being imported or restored here by another command.");
        JobId dump = await FindAsync(depot, name, import.TryReadToken(), cancellationToken).ConfigureAwait(false);
        MigrationOutcome outcome = await RestoreAsync(depot, dump, name, import, progress, cancellationToken).ConfigureAwait(false);
        if (outcome is RestoreCompleted)
        {
            await DepotTidying.TryAsync(() => Task.Run(import.Remove, CancellationToken.None)).ConfigureAwait(false);
            await DepotTidying.TryAsync(() => depot.RemoveDumpAsync(dump, CancellationToken.None)).ConfigureAwait(false);
            return outcome;
        }

        return outcome is MigrationFailed { IsInDoubt: false } failed ? failed with { Reason = failed.Reason + await WhatNowAsync(depot, name, dump).ConfigureAwait(false) } : outcome;
    }

    private async Task<MigrationOutcome> RestoreAsync(
        Depot depot, JobId dump, ContainerName name, StageImport import, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        DumpContents contents = await depot.ReadDumpAsync(dump, cancellationToken).ConfigureAwait(false);
        using DirectoryChunkStore content = import.OpenContent();
        if (!await new ContentPull(depot, content, new TransferMeter(() => { })).HasAllAsync(contents.Packs, cancellationToken).ConfigureAwait(false))
            throw StageOrder.ImportDataIsNext(name, place);
        using var origin = new DumpOrigin(depot, name, dump, content, import.Token());
        var archive = new DumpReadStream(depot, dump, contents.Parts);
        await using (archive.ConfigureAwait(false))
            return await new RestoreRunner(environment).RunAsync(archive, origin, JobId.Create(), progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The one dump that can be restored here: one that was begun here goes before any other.</summary>
    private async Task<JobId> FindAsync(Depot depot, ContainerName name, string? token, CancellationToken cancellationToken)
    {
        var open = new List<JobId>();
        JobId? takenBack = null, takenElsewhere = null;
        foreach (JobId dump in await depot.ListDumpsAsync(cancellationToken).ConfigureAwait(false))
        {
            DumpClaim claim = depot.ClaimOf(dump);
            ContainerSide owner = await claim.OwnerAsync(cancellationToken).ConfigureAwait(false);
            if (owner == ContainerSide.Target && token is not null && await claim.IsOfTargetAsync(token, cancellationToken).ConfigureAwait(false))
                return dump;
            if (owner == ContainerSide.None)
                open.Add(dump);
            (takenBack, takenElsewhere) = (owner == ContainerSide.Source ? dump : takenBack, owner == ContainerSide.Target ? dump : takenElsewhere);
        }

        bool hasData = (await depot.ListPacksAsync(cancellationToken).ConfigureAwait(false)).Count > 0;
        return open.Count switch
        {
            1 => open[0],
            > 1 => throw StageOrder.SeveralDumps(name, depot.Place, open),
            _ when takenElsewhere is { } other => throw StageOrder.AnotherTargetHasIt(name, other, depot.Place),
            _ when takenBack is { } back => throw StageOrder.SourceHasIt(name, back),
            _ when hasData => throw StageOrder.CreateDumpIsNext(name, place),
            _ => throw StageOrder.PrepareDataIsNext(name, place),
        };
    }

    /// <summary>What a person may type after a restore that failed, by what the place says of the dump.</summary>
    private static async Task<string> WhatNowAsync(Depot depot, ContainerName name, JobId dump)
    {
        try
        {
            return await depot.ClaimOf(dump).OwnerAsync(CancellationToken.None).ConfigureAwait(false) is ContainerSide.None
                ? $" '{name}' is frozen at the source: type restore-dump again when the reason is gone, or take it back, at the source: p2pmigrate migrate {name} -s unfreeze" : "";
        }
        catch (PlaceException unknown)
        {
            return $" Whose the dump is now is not known ({unknown.Message}).";
        }
    }

    /// <summary>A dump in a depot: the place says whether its container may run here.</summary>
    // spec: DEP-20
    private sealed class DumpOrigin(Depot depot, ContainerName name, JobId dump, IChunkStore content, string token) : IArchiveOrigin
    {
        private bool _isClaimed;

        public string Name => depot.Place;

        public JobKind Kind => JobKind.Stage;

        public JobId? Dump => dump;

        public IChunkStore Content => content;

        public void Accept(ArchiveHead head)
        {
            if (head.Name != name)
                throw Depot.Damaged($"{depot.Place}: the dump {dump}", $"is of '{head.Name}', not of '{name}'");
        }

        public async Task ClaimAsync(CancellationToken cancellationToken)
        {
            _isClaimed = true; // An answer that is lost may have been a yes.
            DumpClaim claim = depot.ClaimOf(dump);
            if (await claim.TryTakeForTargetAsync(token, cancellationToken).ConfigureAwait(false))
                return;
            _isClaimed = false;
            throw await claim.OwnerAsync(cancellationToken).ConfigureAwait(false) == ContainerSide.Target
                ? StageOrder.AnotherTargetHasIt(name, dump, depot.Place) : StageOrder.SourceHasIt(name, dump);
        }

        public async Task GiveUpAsync()
        {
            DumpClaim claim = depot.ClaimOf(dump);
            if (_isClaimed && await claim.IsOfTargetAsync(token, CancellationToken.None).ConfigureAwait(false))
                await claim.GiveUpAsync(CancellationToken.None).ConfigureAwait(false);
        }

        public void Dispose()
        {
            // Depot and content are the runner's.
        }
    }
}
