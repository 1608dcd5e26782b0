namespace P2PMigrate.Migration.Machines;

/// <summary>
/// Something the source wants done. One at a time, except that <see cref="SourceWork.RollBack"/> first cancels and awaits what is under way.
/// </summary>
/// <param name="Work">What to do.</param>
/// <param name="Journal">The state to write to the journal, durably, before the work begins; null for none.</param>
/// <param name="Round">The round, for <see cref="SourceWork.CopyRound"/> and <see cref="SourceWork.Ship"/>.</param>
internal readonly record struct SourceRequest(SourceWork Work, SourceState? Journal = null, int Round = 0);

/// <summary>Kinds of <see cref="SourceRequest"/>.</summary>
internal enum SourceWork
{
    /// <summary>Scan the root file system, send what the target lacks, wait until it is stored.</summary>
    CopyRound,

    /// <summary>Build the fence.</summary>
    Freeze,

    /// <summary>Dump; send memory, wait until it is stored.</summary>
    Dump,

    /// <summary>Send CRIU's images and the final round, wait until they are stored.</summary>
    Ship,

    /// <summary>Nothing but the journal record: the commit point.</summary>
    Commit,

    /// <summary>Send what the dump left here, and wait until it is stored.</summary>
    Give,

    /// <summary>Destroy the copy here and forget the job.</summary>
    Destroy,

    /// <summary>Thaw if there is a fence, and forget the job.</summary>
    RollBack,
}

/// <summary>How the source ended.</summary>
/// <param name="End">One of the end states.</param>
/// <param name="Failure">The first reason, unless <see cref="SourceState.Completed"/>.</param>
/// <param name="Warning">What a completed job left to do by hand.</param>
/// <param name="Times">What the target told of its part of the downtime.</param>
internal sealed record SourceResult(SourceState End, Failure? Failure, string? Warning, Control.TargetTimes Times)
{
    /// <summary>In doubt for one reason only: the container runs at the target, and lacks memory that is here.</summary>
    // spec: MIG-104
    public bool IsLacking { get; init; }
}
