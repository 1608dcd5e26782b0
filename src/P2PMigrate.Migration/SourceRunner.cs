using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>
/// Moves a container away. Safe for use from several threads; the same container twice is refused. What a crash leaves behind is
/// dealt with by <see cref="JobRecovery"/>, which a caller runs before <see cref="SendAsync"/>.
/// </summary>
public sealed class SourceRunner(MigrationEnvironment environment)
{
    private const string TooLarge = "The container's configuration is too large to be sent.";

    /// <summary>
    /// Proposes <paramref name="container"/> to the peer of <paramref name="session"/> and moves it there. The caller has checked the
    /// container with <see cref="IContainerRuntime.CheckSourceAsync"/>, and closes the session afterwards in any case.
    /// Every end of a job is an outcome, cancellation included (before the commit point it rolls back, after it it is ignored).
    /// Throws <see cref="MigrationException"/> only when no job was begun: <see cref="MigrationFault.AlreadyMigrating"/>, <see cref="MigrationFault.InDoubt"/>.
    /// </summary>
    public async Task<MigrationOutcome> SendAsync(
        ITunnelSession session,
        ContainerDescription container,
        SendOptions options,
        IProgress<MigrationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (!ContainerName.TryParse(container.Name, out ContainerName name))
            return SourceOutcome.NotBegun(options.JobId, container.Name, new Failure(FailureKind.Preflight, SourceTurn.NameReason(container.Name)));
        if (container.Configuration.Length > ControlLimits.MaxConfigurationLength)
            return SourceOutcome.NotBegun(options.JobId, container.Name, new Failure(FailureKind.Preflight, TooLarge));
        environment.State.Create();
        using FileLock turn = SourceTurn.Take(environment, name);
        try
        {
            return await SendLockedAsync(session, container, name, options, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TunnelException or ContainerException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return SourceOutcome.NotBegun(options.JobId, name.Value, FailureReason.Of(exception, environment.State));
        }
    }

    /// <summary>
    /// Asks the peer of <paramref name="session"/> whether <paramref name="container"/> could come to it; what it found, what is good too. Nothing is begun at either side.
    /// Throws <see cref="TunnelException"/> when the peer goes away, <see cref="MigrationException"/> when it answers something else or nothing in time.
    /// </summary>
    // spec: MIG-170
    public async Task<IReadOnlyList<Finding>> AskAsync(ITunnelSession session, ContainerDescription container, CancellationToken cancellationToken)
    {
        if (!ContainerName.TryParse(container.Name, out ContainerName name))
            return [new Finding(FindingSeverity.Blocker, "name", SourceTurn.NameReason(container.Name))];
        if (container.Configuration.Length > ControlLimits.MaxConfigurationLength)
            return [new Finding(FindingSeverity.Blocker, "configuration", TooLarge)];
        Propose question = await ProposalAsync(JobId.Create(), name, container, cancellationToken).ConfigureAwait(false);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(environment.Timers.Proposal);
        try
        {
            ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk, time.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return (await Question.AskAsync<Answer>(stream, question, time.Token).ConfigureAwait(false)).Findings;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw PeerFault.Of("does not answer whether it would take the container; is p2pmigrate there of this version?");
        }
    }

    private async Task<Propose> ProposalAsync(JobId job, ContainerName name, ContainerDescription container, CancellationToken cancellationToken)
    {
        MachineFacts facts = await (environment.Runtime.Of(container.Runtime) ?? environment.Runtime).DescribeMachineAsync(cancellationToken).ConfigureAwait(false);
        long rootfsBytes = await Task.Run(() => RootfsEstimate.Of(container.Files), cancellationToken).ConfigureAwait(false);
        return new Propose(job, name, container, facts, rootfsBytes) { MadeAt = environment.Time.GetUtcNow() };
    }

    private async Task<MigrationOutcome> SendLockedAsync(
        ITunnelSession session, ContainerDescription container, ContainerName name, SendOptions options,
        IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        Propose proposal = await ProposalAsync(options.JobId, name, container, cancellationToken).ConfigureAwait(false);
        ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Control, cancellationToken).ConfigureAwait(false);
        var control = new ControlChannel(stream);
        await using (control.ConfigureAwait(false))
        {
            using JobJournal journal = Begin(proposal, options);
            using SentChunks sent = SentChunks.Open(environment, options.PeerName);
            var job = new SourceJob(environment, session, proposal, journal, options.Copy, sent, progress);
            MigrationOutcome outcome = await job.RunAsync(control, cancellationToken).ConfigureAwait(false);
            Log.JobEnded(environment.Logger, options.JobId, name.Value, outcome.GetType().Name, (outcome as MigrationFailed)?.Reason ?? "");
            return outcome;
        }
    }

    private JobJournal Begin(Propose proposal, SendOptions options)
    {
        ContainerDescription container = proposal.Container;
        var head = new JournalHead(
            options.JobId, JobRole.Source, proposal.Name, container.Runtime, container.BundlePath, container.RootPath,
            options.PeerName, environment.Time.GetUtcNow()) { Contact = options.Target };
        return SourceTurn.Begin(environment, head);
    }
}
