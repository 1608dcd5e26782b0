using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Says in the user's words how a job ended at the source.</summary>
internal static class SourceOutcome
{
    /// <summary>The outcome of a machine that has ended.</summary>
    public static MigrationOutcome Of(
        SourceResult result, Propose proposal, SourceTimeline timeline, TransferMeter meter, SourceEffects effects, RoundSummary? lastRound)
    {
        if (result.End != SourceState.Completed)
            return effects.EndOfContainer is { } end ? Ended(NotBegun(proposal.JobId, proposal.Name.Value, result.Failure!), end, result.Warning) : Failed(result, proposal, effects.HasLeft);
        return new MigrationCompleted
        {
            JobId = proposal.JobId,
            Container = proposal.Name.Value,
            Path = timeline.Path,
            Downtime = timeline.Downtime(effects.StoppedAt),
            Breakdown = timeline.Breakdown(effects.StoppedAt, result.Times),
            Total = timeline.Total,
            BytesSent = meter.Wire,
            MemoryBytes = effects.MemoryBytes,
            FrozenMemoryBytes = effects.FrozenMemoryBytes,
            RootfsBytes = effects.RootfsBytes,
            LastRound = lastRound,
            Warning = result.Warning ?? effects.Remark,
        };
    }

    /// <summary>A job that never got as far as a machine.</summary>
    public static MigrationFailed NotBegun(JobId job, string container, Failure failure) => new()
    {
        JobId = job,
        Container = container,
        Reason = failure.Reason,
        Kind = failure.Kind,
        RunningAt = ContainerSide.Source,
        Findings = failure.Findings,
    };

    /// <summary>A job that failed, and whose container has ended, as <paramref name="end"/> says. <paramref name="left"/>: why something of the job is left, or null.</summary>
    // spec: MIG-14
    public static MigrationFailed Ended(MigrationFailed failed, string end, string? left = null) => failed with
    {
        Reason = $"{failed.Reason} {end}" + (left is null ? "" : $" Something of the job is left here ({left}); to remove it, type: p2pmigrate resume {failed.JobId}"),
        RunningAt = ContainerSide.None,
        HasContainerEnded = true,
    };

    /// <summary>What a person must know and type when nobody else can decide.</summary>
    // spec: MIG-43, MIG-57
    public static string InDoubtMessage(JobId job, string container) =>
        $"The source had already committed: '{container}' is frozen here and may be running at the target. As soon as `p2pmigrate receive` can be reached there, it is asked by: p2pmigrate resume {job}. "
        + "If it never will be, look there, but not before the program has ended there or has been started again, for until then it may still begin to run; "
        + $"if it runs, type: p2pmigrate resolve {job} --keep target; if it does not: p2pmigrate resolve {job} --keep source";

    /// <summary>The same, where the container runs at the target and lacks memory that is still here.</summary>
    // spec: MIG-104
    public static string LackingMessage(JobId job, string container) =>
        $"'{container}' runs at the target, and memory that it needs is still in the frozen copy here: leave both machines up. What is missing follows when `p2pmigrate receive` can be reached there again, by itself while a `p2pmigrate receive` runs here, else by: p2pmigrate resume {job}. "
        + $"If the target is lost for good, what was frozen here can go on instead, as it was then: p2pmigrate resolve {job} --keep source --target-is-lost";

    private static MigrationFailed Failed(SourceResult result, Propose proposal, bool hasLeft)
    {
        Failure failure = result.Failure!;
        bool isInDoubt = result.End == SourceState.InDoubt;
        MigrationFailed failed = NotBegun(proposal.JobId, proposal.Name.Value, failure);
        return !isInDoubt ? failed : failed with
        {
            Reason = $"{failure.Reason} {WhatNow(result, proposal, hasLeft)}",
            RunningAt = result.IsLacking ? ContainerSide.Target : ContainerSide.None,
            IsInDoubt = true,
            HasLeft = hasLeft,
        };
    }

    private static string WhatNow(SourceResult result, Propose proposal, bool hasLeft) => result switch
    {
        { Warning: { } warning } => $"It could not be thawed ({warning}). Type: p2pmigrate resolve {proposal.JobId} --keep source",
        { IsLacking: true } => LackingMessage(proposal.JobId, proposal.Name.Value),
        _ when hasLeft => MayLackMessage(proposal.JobId, proposal.Name.Value),
        _ => InDoubtMessage(proposal.JobId, proposal.Name.Value),
    };

    private static string MayLackMessage(JobId job, string container) =>
        $"The source had already committed: '{container}' may be running at the target, and then needs memory that is in the frozen copy here: leave both machines up. As soon as `p2pmigrate receive` can be reached there, it is asked, and what is missing follows, by: p2pmigrate resume {job}. "
        + $"If the target is lost for good, what was frozen here can go on instead: p2pmigrate resolve {job} --keep source --target-is-lost";
}
