using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>
/// Takes containers in. Safe for use from several threads, one call per session. What a crash leaves behind is dealt with by
/// <see cref="JobRecovery"/>, which a caller runs before the first <see cref="ReceiveAsync"/>.
/// </summary>
public sealed class TargetRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Waits for a job to be proposed on <paramref name="session"/> and carries it out. Every end is an outcome; the caller closes the
    /// session afterwards. Cancellation before the commit was heard aborts the job, after it it is ignored.
    /// </summary>
    public Task<ReceiveOutcome> ReceiveAsync(
        ITunnelSession session,
        ReceiveOptions options,
        IProgress<MigrationProgress>? progress = null,
        CancellationToken cancellationToken = default)
        => throw new InvalidOperationException($"{environment} {session} {options} {progress} {cancellationToken}");
}
