using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration.Jobs;

/// <summary>What this target knows of the jobs that sources may ask about, by its journals alone.</summary>
// spec: MIG-190
internal sealed class JobFates(StateDirectory state)
{
    /// <summary>The fate of a job, for the peer of that name.</summary>
    public JobFate Of(JobId job, string peer)
    {
        using JournalView? view = JournalView.TryOpen(state.Journal(job));
        if (view is null)
            return EndedJobs.Find(state, job) is { } ended && IsOf(ended.Head, peer) ? OfEnded(ended) : JobFate.Unknown;
        JournalContents? contents = view.Read().Contents;
        return !IsOf(contents?.Head ?? HeadCopy.TryRead(state, job), peer) ? JobFate.Unknown
            : view.FindOwner(state.Journal(job)) is not null ? JobFate.UnderWay
            : OfUnfinished(contents);
    }

    /// <summary>The peers that may ask.</summary>
    // spec: MIG-193
    public IReadOnlyCollection<PublicIdentity> Askers() =>
    [
        .. JournalView.HeadsIn(state).Concat(EndedJobs.Heads(state))
            .Where(head => head is { Role: JobRole.Target, Kind: JobKind.Migration }).Select(head => head.Contact?.Key).OfType<PublicIdentity>().Distinct(),
    ];

    /// <summary>Of a journal that was set aside. A last record that another one may have followed says nothing.</summary>
    // spec: MIG-192
    public static JobFate OfEnded(JournalContents contents) => (TargetState)contents.LastState switch
    {
        TargetState.Confirming or TargetState.Completed => JobFate.Runs,
        TargetState.Aborted => JobFate.Gone,
        _ => JobFate.Unknown,
    };

    /// <summary>Of a journal on which nobody works; null for one that cannot be trusted. Nothing final: what can be read need not be durable, and there is still something to do.</summary>
    public static JobFate OfUnfinished(JournalContents? contents) =>
        contents is null || RecoveryRules.For(contents) == RecoveryAction.InDoubt ? JobFate.InDoubt : JobFate.UnderWay;

    private static bool IsOf(JournalHead? head, string peer) => head is { Role: JobRole.Target, Kind: JobKind.Migration } && head.Peer == peer;
}
