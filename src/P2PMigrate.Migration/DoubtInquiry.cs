using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>A job of this source that is in doubt, and how its target can be asked.</summary>
public sealed record OpenDoubt(JobId JobId, string Container, PeerContact Target)
{
    /// <summary>Is it known that the container runs at the target, and needs memory that is still here?</summary>
    // spec: MIG-105
    public bool IsLacking { get; init; }
}

/// <summary>
/// Asks targets what became of jobs that are in doubt at this source, and does what follows. The caller dials: by <see cref="OpenDoubt.Target"/>, whose target admits this peer for that. Safe for use
/// from several threads and processes.
/// </summary>
// spec: MIG-190, MIG-194
public sealed class DoubtInquiry(MigrationEnvironment environment)
{
    /// <summary>How long a source asks whose job has just ended in doubt.</summary>
    // spec: CONST-440
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How often one asks that goes on with something else meanwhile.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly JobRecovery _recovery = new(environment);

    /// <summary>The jobs in doubt whose target can be asked, of one container or of all. Read from the journals alone, without locking any (MIG-130).</summary>
    public IReadOnlyList<OpenDoubt> FindAll(string? container = null)
    {
        var open = new List<OpenDoubt>();
        foreach ((JobId job, string path) in UnfinishedJob.JournalsIn(environment.State))
        {
            using JournalView? view = JournalView.TryOpen(path);
            if (view is null)
                continue;
            JournalContents? contents = view.Read().Contents;
            JournalHead? head = contents?.Head ?? HeadCopy.TryRead(environment.State, job);
            if (IsOpen(head, contents) && head is { Contact: { } target } && (container is null || head.Container.Value == container) && view.FindOwner(path) is null)
                open.Add(new OpenDoubt(job, head.Container.Value, target) { IsLacking = RecoveryMessage.IsLacking(contents) });
        }

        return open;
    }

    /// <summary>This job, if it is one of them.</summary>
    public OpenDoubt? Find(JobId job) => FindAll().FirstOrDefault(doubt => doubt.JobId == job);

    /// <summary>
    /// Asks the target, at the other end of <paramref name="session"/>, about a job, and ends its doubt if the answer does. <see cref="RecoveryAction.InDoubt"/> when it does not, <see cref="RecoveryAction.Asked"/> when it does not yet; null when the job is not in
    /// doubt any more. What the target lacks of the container's memory, and is here, it is given on the same session, for as long as that lasts or until <paramref name="giving"/> is cancelled: the question is over by then.
    /// Throws <see cref="TunnelException"/> when the target goes away, <see cref="MigrationException"/> when it answers something else or nothing in time.
    /// </summary>
    // spec: MIG-105
    public async Task<RecoveredJob?> AskAsync(ITunnelSession session, JobId job, CancellationToken cancellationToken, CancellationToken giving = default)
    {
        Fate fate = await AskFateAsync(session, job, cancellationToken).ConfigureAwait(false);
        RecoveredJob? heard = await _recovery.HearAsync(job, fate.Of, CancellationToken.None).ConfigureAwait(false);
        return fate.Of == JobFate.UnderWay ? await _recovery.GiveAsync(session, job, giving).ConfigureAwait(false) ?? heard : heard;
    }

    private async Task<Fate> AskFateAsync(ITunnelSession session, JobId job, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(environment.Timers.Proposal);
        try
        {
            ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk, time.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return await Question.AskAsync<Fate>(stream, new Inquiry(job), time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw PeerFault.Of($"does not answer what became of job {job}; is p2pmigrate there of this version?");
        }
    }

    /// <summary>Is it a migration of this source of which only the target, or a person, can say how it ended?</summary>
    internal static bool IsOpen(JournalHead? head, JournalContents? contents) =>
        head is { Role: JobRole.Source, Kind: JobKind.Migration } && (contents is null || RecoveryRules.For(contents) == RecoveryAction.InDoubt);
}
