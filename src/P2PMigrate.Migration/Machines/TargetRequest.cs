using P2PMigrate.Migration.Control;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// Something the target wants done. One at a time, except that <see cref="TargetWork.Receive"/> goes on beside the others and
/// <see cref="TargetWork.CleanUp"/> first cancels and awaits what is under way.
/// </summary>
/// <param name="Work">What to do.</param>
/// <param name="Journal">The state to write to the journal, durably, before the work begins; null for none.</param>
internal readonly record struct TargetRequest(TargetWork Work, TargetState? Journal = null);

/// <summary>Kinds of <see cref="TargetRequest"/>.</summary>
internal enum TargetWork
{
    /// <summary>Ask the runtime, look for room and for a free name.</summary>
    Check,

    /// <summary>Spend the ticket, make the job's directories and its journal.</summary>
    Admit,

    /// <summary>Take in bulk streams until told otherwise.</summary>
    Receive,

    /// <summary>Make everything durable that must be, verify, restore and hold.</summary>
    Restore,

    /// <summary>Let it run.</summary>
    Release,

    /// <summary>Forget the job: remove images and journal, keep the container.</summary>
    Forget,

    /// <summary>Remove everything.</summary>
    CleanUp,
}

/// <summary>Kinds of content that must be here before the container can be built.</summary>
[Flags]
internal enum StoredContent
{
    /// <summary>Nothing yet.</summary>
    None = 0,

    /// <summary>The final round of the root file system.</summary>
    FinalRound = 1,

    /// <summary>Memory pages.</summary>
    Memory = 2,

    /// <summary>CRIU's other images.</summary>
    Images = 4,

    /// <summary>All of it.</summary>
    Everything = FinalRound | Memory | Images,
}

/// <summary>How the target ended.</summary>
/// <param name="End">One of the end states.</param>
/// <param name="Proposal">What was proposed, or null.</param>
/// <param name="Failure">The first reason, unless it ended well.</param>
/// <param name="Warning">What was left to do by hand, or null.</param>
internal sealed record TargetResult(TargetState End, Propose? Proposal, Failure? Failure, string? Warning)
{
    /// <summary>Was the source's commit heard?</summary>
    public bool HadCommitted { get; init; }
}
