using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>
/// Takes containers in. Safe for use from several threads, one call per session. What a crash leaves behind is dealt with by
/// <see cref="JobRecovery"/>, which a caller runs before the first <see cref="ReceiveAsync"/>. Owns the state directory's chunk store from the first
/// job on: a second runner for the same directory is refused.
/// </summary>
public sealed class TargetRunner(MigrationEnvironment environment) : IDisposable
{
    private const string LockName = "receive.lock";

    private readonly Lock _lock = new();
    private FileLock? _storeLock;        // guarded by _lock, like _store
    private DirectoryChunkStore? _store;

    /// <summary>
    /// Waits for a job to be proposed on <paramref name="session"/> and carries it out. Every end is an outcome; the caller closes the
    /// session afterwards. Cancellation before the commit was heard aborts the job, after it it is ignored. Throws
    /// <see cref="MigrationException"/> when another process receives into the same state directory.
    /// </summary>
    public async Task<ReceiveOutcome> ReceiveAsync(
        ITunnelSession session,
        ReceiveOptions options,
        IProgress<MigrationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var job = new TargetJob(environment, session, options, OpenStore(), progress);
        await using (job.ConfigureAwait(false))
            return await job.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the chunk store back; no job may be under way.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _store?.Dispose();
            _storeLock?.Dispose();
        }
    }

    private DirectoryChunkStore OpenStore()
    {
        lock (_lock)
        {
            if (_store is not null)
                return _store;
            environment.State.Create();
            _storeLock = FileLock.TryTake(Path.Combine(environment.State.Root, LockName))
                ?? throw new MigrationException(MigrationFault.AlreadyMigrating, $"Another process receives into {environment.State.Root}; give one of them another state directory.");
            return _store = new DirectoryChunkStore(environment.State.Chunks);
        }
    }
}
