using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Says in the user's words what recovery found and did.</summary>
internal static class RecoveryMessage
{
    /// <summary>Something was done.</summary>
    public static RecoveredJob Done(UnfinishedJob job, RecoveryAction action)
    {
        string name = NameOf(job);
        ContainerSide runningAt = RunningAt(job, action);
        bool isArchive = job.Head?.Kind == JobKind.Archive;
        string work = WorkOf(job.Head);
        string message = action switch
        {
            RecoveryAction.Thawed => $"An earlier {work} of '{name}' was interrupted before it committed; '{name}' runs here as before.",
            RecoveryAction.Destroyed when isArchive => $"An earlier checkpoint of '{name}' is finished: it is in its archive, {job.Head!.Place}; the copy here was removed.",
            RecoveryAction.Destroyed => $"An earlier migration of '{name}' is finished: it runs at the target, the copy here was removed.",
            RecoveryAction.CleanedUp when isArchive => $"An earlier restore of '{name}' was interrupted before it ran; what it left here was removed.",
            RecoveryAction.CleanedUp => $"An earlier migration of '{name}' to this machine was interrupted; what it left here was removed.",
            _ => $"An earlier {work} of '{name}' had ended; what was left of it was removed.",
        };
        return new RecoveredJob(job.JobId, name, action, runningAt, message);
    }

    /// <summary>Its release was under way, and had come to its end.</summary>
    // spec: MIG-59
    public static RecoveredJob Arrived(UnfinishedJob job, RecoveredJob kept) =>
        kept.Action == RecoveryAction.Awaits ? kept : kept with { Message = $"An earlier {WorkOf(job.Head)} of '{kept.Container}' was interrupted as it began to run here; it runs here." };

    /// <summary>What the target said of a job in doubt, and what was <paramref name="done"/>, if anything.</summary>
    // spec: MIG-191
    public static RecoveredJob Heard(UnfinishedJob job, JobFate fate, RecoveredJob? done)
    {
        if (done is { Action: RecoveryAction.Thawed, RunningAt: ContainerSide.Source })
            return done with { Message = $"The target says that its copy of '{NameOf(job)}' is removed; '{NameOf(job)}' runs here as before." };
        string said = fate switch
        {
            JobFate.UnderWay => "that the job has not ended there",
            JobFate.InDoubt => "that only a person there can tell (p2pmigrate jobs, on the target)",
            _ => $"that it remembers nothing of this job, which does not mean that '{NameOf(job)}' does not run there",
        };
        RecoveredJob doubt = InDoubt(job);
        return done ?? doubt with { Action = fate == JobFate.UnderWay ? RecoveryAction.Asked : RecoveryAction.InDoubt, Message = $"The target was asked, and says {said}. {doubt.Message}" };
    }

    /// <summary>There was nothing to thaw, and the runtime knows of none that runs: the machine or the container was stopped since, or what was frozen has ended.</summary>
    public static RecoveredJob Gone(JobId job, JournalHead? head, IContainerRuntime runtime)
    {
        string message = head is null ? "The container that this job had stopped has ended here."
            : $"An earlier {WorkOf(head)} of '{head.Container.Value}' is undone. It does not run here, by {head.Runtime}'s word. "
                + EndedContainer.HowToStart(runtime, head.Runtime, head.Container.Value, head.BundlePath);
        return new RecoveredJob(job, head?.Container.Value ?? "", RecoveryAction.Thawed, ContainerSide.None, message);
    }

    /// <summary>Nobody but a person can decide.</summary>
    public static RecoveredJob InDoubt(UnfinishedJob job) => new(
        job.JobId, NameOf(job), RecoveryAction.InDoubt, IsLacking(job.Contents) ? ContainerSide.Target : ContainerSide.None,
        job.Contents is { } contents ? DoubtOf(contents) : DamagedWords(job.JobId, job.Head, job.Damage!));

    /// <summary>Why a job that may have committed is not undone.</summary>
    public static string NotToBeUndone(UnfinishedJob job) => job.Contents is { Head: { Role: JobRole.Target } head }
        ? $"'{head.Container.Value}' was being released here when the program was stopped. To have it finished, or removed if it never ran, type: p2pmigrate resume {job.JobId}"
        : InDoubt(job).Message;

    /// <summary>Why the copy here is neither thawed nor destroyed because a person wants it.</summary>
    // spec: MIG-104
    public static string IsNeeded(UnfinishedJob job) =>
        $"The frozen copy of '{NameOf(job)}' here holds memory that the target has not got, so it is neither thawed nor removed: if '{NameOf(job)}' runs at the target, it needs that. "
        + $"Whether it does, and what is missing, is settled with the target by: p2pmigrate resume {job.JobId}. If the target is lost for good, what was frozen here goes on by: p2pmigrate resolve {job.JobId} --keep source --target-is-lost";

    /// <summary>What the container at the target may wait for is not here any more.</summary>
    // spec: MIG-104
    public static RecoveredJob MemoryLost(UnfinishedJob job) => new(
        job.JobId, NameOf(job), RecoveryAction.InDoubt, ContainerSide.Target,
        $"'{NameOf(job)}' runs at the target, and what was left of its memory here is lost: its frozen copy has ended, or this machine was started again. If `p2pmigrate jobs` there still lists job {job.JobId}, it waits there for memory that will not come: "
        + $"end it there, and start it anew from its files. Then type here: p2pmigrate resolve {job.JobId} --keep target");

    /// <summary>Is it known that the container runs at the target and lacks memory that is here?</summary>
    // spec: MIG-104
    public static bool IsLacking(JournalContents? contents) => contents is { Head.Role: JobRole.Source, LastState: (int)SourceState.Giving };

    /// <summary>What the container lacks comes only when this program can be met.</summary>
    // spec: MIG-105
    public static RecoveredJob Awaits(UnfinishedJob job) => new(
        job.JobId, NameOf(job), RecoveryAction.Awaits, ContainerSide.Target, $"'{NameOf(job)}' runs here and waits for memory that is still at its source, which sends it when it meets this program. Leave both machines up.");

    /// <summary>It did not work.</summary>
    public static RecoveredJob Failed(UnfinishedJob job, string reason) =>
        new(job.JobId, NameOf(job), RecoveryAction.Failed, ContainerSide.None, $"The interrupted migration {job.JobId} of '{NameOf(job)}' could not be tidied up: {reason}");

    /// <summary>Why nobody but a person can decide, and what to type.</summary>
    public static string DoubtOf(JournalContents contents) => contents.Head switch
    {
        { Role: JobRole.Source, Kind: JobKind.Stage } head => DumpedWords(head),
        { Role: JobRole.Source } head when IsLacking(contents) => SourceOutcome.LackingMessage(head.JobId, head.Container.Value),
        { Role: JobRole.Source } head => SourceOutcome.InDoubtMessage(head.JobId, head.Container.Value),
        var head => $"'{head.Container.Value}' was being released here when this program was stopped, and it cannot be told any more whether it ran. {AtTarget(head)}",
    };

    /// <summary>The same of a journal that cannot be trusted; <paramref name="head"/> is the copy of its head, or null.</summary>
    // spec: MIG-150
    public static string DamagedWords(JobId job, JournalHead? head, string damage) => $"{damage} Nothing was done in its name. " + head switch
    {
        null => "Nor does the job's directory tell which side of it this machine was. If its container is frozen here and does not run at the target, type: "
            + $"p2pmigrate resolve {job} --keep source; if it runs at the target: p2pmigrate resolve {job} --keep target",
        { Role: JobRole.Source, Container: var name } => $"It was about to move '{name.Value}' away. If '{name.Value}' does not run at the target, type: "
            + $"p2pmigrate resolve {job} --keep source; if it runs at the target: p2pmigrate resolve {job} --keep target",
        _ => $"It was about to bring '{head.Container.Value}' here. {AtTarget(head)}",
    };

    // spec: DEP-22
    private static string DumpedWords(JournalHead head) =>
        $"'{head.Container}' is frozen here since its create-dump, and its dump is in {head.Place}. The next stage is restore-dump, at the target: {StageOrder.RestoreDump(head.Container, head.Place)}; "
        + $"when it runs there, end the copy here: p2pmigrate resolve {head.JobId} --keep target. To take it back instead, or when no dump is found there because create-dump was "
        + $"interrupted, type: p2pmigrate migrate {head.Container} -s unfreeze";

    private static string AtTarget(JournalHead head) => $"Look whether it runs here, or is paused; if so, type: p2pmigrate resolve {head.JobId} --keep target; "
        + $"if it does not: p2pmigrate resolve {head.JobId} --keep source, "
        + (head.Kind == JobKind.Stage ? $"and then, at the source: p2pmigrate migrate {head.Container} -s unfreeze" : "and then the same at the source, unless it has asked here by then");

    private static ContainerSide RunningAt(UnfinishedJob job, RecoveryAction action) => action switch
    {
        RecoveryAction.Thawed => ContainerSide.Source,
        RecoveryAction.Destroyed when job.Head?.Kind == JobKind.Archive => ContainerSide.None,
        RecoveryAction.Destroyed => ContainerSide.Target,
        RecoveryAction.Forgotten when job.Contents is { Head.Role: JobRole.Source, LastState: (int)SourceState.RolledBack } => ContainerSide.Source,
        RecoveryAction.Forgotten when job.Head is null => ContainerSide.None,
        RecoveryAction.Forgotten => ContainerSide.Target,
        _ => ContainerSide.None,
    };

    private static string WorkOf(JournalHead? head) => head?.Kind != JobKind.Archive ? "migration" : head.Role == JobRole.Source ? "checkpoint" : "restore";

    private static string NameOf(UnfinishedJob job) => job.Head?.Container.Value ?? "";
}
