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
    /// Every end of the restore is an outcome, like that of a <see cref="RestoreRunner"/>. Throws <see cref="MigrationException"/> when it was not begun: another stage is due, or the source has
    /// taken the container back; <see cref="IOException"/> when the place cannot be used.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(ContainerName name, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        environment.State.Create();
        var depot = new Depot(place, name);
        StageImport import = StageImport.Of(environment.State, name);
        JobId dump = await FindAsync(depot, name, import.Token(), cancellationToken).ConfigureAwait(false);
        MigrationOutcome outcome;
        using (DirectoryChunkStore content = import.OpenContent())
        {
            if (!await new ContentPull(depot, content, new TransferMeter(() => { })).IsCompleteAsync(cancellationToken).ConfigureAwait(false))
                throw StageOrder.ImportDataIsNext(name, place.Place);
            using var origin = new DumpOrigin(depot, name, dump, content, import.Token());
            var archive = new DumpReadStream(depot, dump, await depot.CountPartsAsync(dump, cancellationToken).ConfigureAwait(false));
            await using (archive.ConfigureAwait(false))
                outcome = await new RestoreRunner(environment).RunAsync(archive, origin, JobId.Create(), progress, cancellationToken).ConfigureAwait(false);
        }

        if (outcome is RestoreCompleted)
        {
            import.Remove();
            await DepotTidying.TryAsync(() => depot.RemoveDumpAsync(dump, CancellationToken.None)).ConfigureAwait(false);
        }

        return outcome;
    }

    /// <summary>The one dump that can be restored here.</summary>
    private static async Task<JobId> FindAsync(Depot depot, ContainerName name, string token, CancellationToken cancellationToken)
    {
        JobId? takenBack = null, takenElsewhere = null;
        foreach (JobId dump in await depot.ListDumpsAsync(cancellationToken).ConfigureAwait(false))
        {
            DumpClaim claim = depot.ClaimOf(dump);
            switch (await claim.OwnerAsync(cancellationToken).ConfigureAwait(false))
            {
                case ContainerSide.None:
                    return dump;
                case ContainerSide.Source:
                    takenBack = dump;
                    break;
                default:
                    if (await claim.IsOfTargetAsync(token, cancellationToken).ConfigureAwait(false))
                        return dump;
                    takenElsewhere = dump;
                    break;
            }
        }

        if (takenElsewhere is { } other)
            throw new MigrationException(MigrationFault.WrongState, $"Another target has taken the dump of '{name}' from {depot.Place}: it is not restored a second time.", other);
        if (takenBack is { } back)
            throw StageOrder.SourceHasIt(name, back);
        throw (await depot.ListPacksAsync(cancellationToken).ConfigureAwait(false)).Count > 0
            ? StageOrder.CreateDumpIsNext(name, depot.Place) : StageOrder.PrepareDataIsNext(name, depot.Place);
    }

    /// <summary>A dump in a depot: the place says whether its container may run here.</summary>
    // spec: DEP-20
    private sealed class DumpOrigin(Depot depot, ContainerName name, JobId dump, IChunkStore content, string token) : IArchiveOrigin
    {
        private bool _isClaimed;

        public string Name => depot.Place;

        public JobKind Kind => JobKind.Stage;

        public IChunkStore Content => content;

        public async Task ClaimAsync(CancellationToken cancellationToken)
        {
            // An answer that is lost may have been a yes.
            _isClaimed = true;
            if (await depot.ClaimOf(dump).TryTakeForTargetAsync(token, cancellationToken).ConfigureAwait(false))
                return;
            _isClaimed = false;
            throw StageOrder.SourceHasIt(name, dump);
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
