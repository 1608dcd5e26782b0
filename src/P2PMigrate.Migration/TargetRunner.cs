using P2PMigrate.Migration.Jobs;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>
/// Takes containers in. Safe for use from several threads, one call per session. What a crash leaves behind is dealt with by
/// <see cref="JobRecovery"/>, which a caller runs before the first <see cref="ReceiveAsync"/>. Several processes may receive into one
/// state directory.
/// </summary>
public sealed class TargetRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Waits for a job to be proposed on <paramref name="session"/> and carries it out. Every end is an outcome; the caller closes the
    /// session afterwards. Cancellation before the commit was heard aborts the job, after it it is ignored.
    /// </summary>
    public async Task<ReceiveOutcome> ReceiveAsync(
        ITunnelSession session,
        ReceiveOptions options,
        IProgress<MigrationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var job = new TargetJob(environment, session, options, progress);
        await using (job.ConfigureAwait(false))
            return await job.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Answers the one question that the peer asks on <paramref name="stream"/>, the first of its session: whether its container could come. Takes, writes and spends nothing.
    /// The caller owns the stream. Throws <see cref="MigrationException"/> for what is no question, <see cref="TunnelException"/> when the peer goes away.
    /// </summary>
    // spec: MIG-170
    public Task AnswerAsync(ITunnelStream stream, CancellationToken cancellationToken) =>
        Question.AnswerAsync(stream, new TargetCheck(environment), cancellationToken);
}
