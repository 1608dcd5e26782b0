using P2PMigrate.Migration.Jobs;
using P2PMigrate.Protocol.Identity;
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
    /// Reads the one question that <paramref name="peer"/> asks on <paramref name="stream"/>, the first of its session: whether its container could come, what became of a job of its, or whether it may use a place. The caller
    /// owns the stream, and answers. Throws <see cref="MigrationException"/> for what is no question, <see cref="TunnelException"/> when the peer goes away.
    /// </summary>
    // spec: MIG-170, MIG-190
    public Task<TargetQuestion> ReadQuestionAsync(ITunnelStream stream, string peer, CancellationToken cancellationToken) =>
        Question.ReadAsync(stream, peer, new TargetCheck(environment), new JobFates(environment.State), cancellationToken);

    /// <summary>
    /// When <paramref name="peer"/> has asked what became of <paramref name="job"/> and was answered: takes in, on the same session, memory of its container that follows, until the session ends. Returns soon when nothing does.
    /// </summary>
    // spec: MIG-105
    public Task TakeLateAsync(ITunnelSession session, JobId job, string peer, CancellationToken cancellationToken) =>
        new LateReception(environment, session, job).RunAsync(peer, environment.Timers.Proposal, cancellationToken);

    /// <summary>The peers that may have to ask what became of a job of theirs: whoever receives admits them without a ticket.</summary>
    // spec: MIG-193
    public IReadOnlyCollection<PublicIdentity> Askers() => new JobFates(environment.State).Askers();
}
