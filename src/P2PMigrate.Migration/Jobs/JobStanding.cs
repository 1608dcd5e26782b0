using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Says of a journal where its job stands: where the container runs, what happens next, what to type. Pure.</summary>
internal static class JobStanding
{
    /// <summary>A journal that can be read. <paramref name="owner"/> is the process that works on it, or null.</summary>
    public static KnownJob Of(JournalContents contents, int? owner)
    {
        JournalHead head = contents.Head;
        RecoveryAction action = RecoveryRules.For(contents);
        (string next, string[] commands) = owner is { } process ? WhileOwned(contents, action, process) : WhenInterrupted(contents, action);
        return new KnownJob(head.JobId)
        {
            Container = head.Container.Value,
            Role = SideOf(head.Role),
            Peer = head.Peer,
            State = WordOf(head.Role, contents.LastState),
            RunningAt = PlaceOf(contents, action, owner is not null),
            BeganAt = head.CreatedAt,
            Since = contents.Records.Count > 0 ? contents.Records[^1].At : head.CreatedAt,
            ProcessId = owner,
            Next = next,
            Commands = commands,
        };
    }

    /// <summary>A journal that cannot be read. <paramref name="head"/> is the copy of its head, or null.</summary>
    public static KnownJob Damaged(JobId job, JournalHead? head, int? owner, string damage) => new(job)
    {
        Container = head?.Container.Value ?? "",
        Role = head is null ? ContainerSide.None : SideOf(head.Role),
        Peer = head?.Peer ?? "",
        State = "damaged",
        ProcessId = owner,
        Damage = damage,
        Next = RecoveryMessage.DamagedWords(job, head, damage),
        Commands = [.. Inquiries(head), .. Resolutions(job)],
    };

    /// <summary>May <c>abort</c> undo a job whose journal says this?</summary>
    // spec: MIG-131
    public static bool MayAbort(JournalContents contents, RecoveryAction action) =>
        action is RecoveryAction.Thawed or RecoveryAction.CleanedUp
        || (action == RecoveryAction.Forgotten && PlaceOf(contents, action, isOwned: false) == ContainerSide.Source);

    private static (string Next, string[] Commands) WhileOwned(JournalContents contents, RecoveryAction action, int process) =>
        MayAbort(contents, action)
            ? ($"In progress (process {process}).", [$"p2pmigrate abort {contents.Head.JobId}"])
            : ($"In progress (process {process}): it has been handed over, and is being brought to its end.", []);

    private static (string Next, string[] Commands) WhenInterrupted(JournalContents contents, RecoveryAction action)
    {
        JobId job = contents.Head.JobId;
        string name = contents.Head.Container.Value;
        return action switch
        {
            RecoveryAction.Thawed when contents.LastState == (int)SourceState.Freezing => (
                $"Interrupted before it committed, and '{name}' may stand still since. It goes on here once the job is undone; the next `migrate` of it does that too.",
                [$"p2pmigrate abort {job}"]),
            RecoveryAction.Thawed => (
                $"Interrupted before it committed; '{name}' runs here. What is left of the job is removed by the next `migrate` of it too.", [$"p2pmigrate abort {job}"]),
            RecoveryAction.CleanedUp => ("Interrupted before it committed. What it left here is removed by the next `receive` too.", [$"p2pmigrate abort {job}"]),
            RecoveryAction.Destroyed => ($"'{name}' runs at the target. The frozen copy here is still to be removed; the next `migrate` of it does that too.", [$"p2pmigrate resume {job}"]),
            RecoveryAction.Forgotten when contents is { Head.Role: JobRole.Target, LastState: (int)TargetState.Confirming } => (
                $"'{name}' runs here. What is left of the job is removed once the container needs nothing of it any more, by the next `receive` too.", [$"p2pmigrate resume {job}"]),
            RecoveryAction.Forgotten => ("It had ended; what is left of it is still to be removed.", [$"p2pmigrate resume {job}"]),
            _ when contents.Head.Role == JobRole.Target => (
                $"'{name}' was being released here when the program was stopped. Whether it ran is found out by the next `receive` too.", [$"p2pmigrate resume {job}", .. Resolutions(job)]),
            _ when RecoveryMessage.IsLacking(contents) => (
                RecoveryMessage.DoubtOf(contents), [.. Inquiries(contents.Head), $"p2pmigrate resolve {job} --keep source --target-is-lost"]),
            _ => (RecoveryMessage.DoubtOf(contents), contents.Head is { Role: JobRole.Source, Kind: JobKind.Stage } ? AfterDump(job, name) : [.. Inquiries(contents.Head), .. Resolutions(job)]),
        };
    }

    private static ContainerSide? PlaceOf(JournalContents contents, RecoveryAction action, bool isOwned) => (contents.Head.Role, action) switch
    {
        (_, RecoveryAction.InDoubt) => RecoveryMessage.IsLacking(contents) ? ContainerSide.Target : null,
        (JobRole.Source, RecoveryAction.Thawed) => contents.LastState == (int)SourceState.Freezing ? ContainerSide.None : ContainerSide.Source,
        (JobRole.Source, RecoveryAction.Forgotten) when contents.LastState == (int)SourceState.RolledBack => ContainerSide.Source,
        (JobRole.Target, RecoveryAction.CleanedUp) => isOwned && contents.LastState == (int)TargetState.Restoring ? ContainerSide.None : ContainerSide.Source,
        _ => ContainerSide.Target,
    };

    private static ContainerSide SideOf(JobRole role) => role == JobRole.Source ? ContainerSide.Source : ContainerSide.Target;

    private static string[] AfterDump(JobId job, string name) => [$"p2pmigrate migrate {name} -s unfreeze", $"p2pmigrate resolve {job} --keep target"];

    /// <summary>The target of a migration can be asked.</summary>
    private static string[] Inquiries(JournalHead? head) =>
        head is { Role: JobRole.Source, Kind: JobKind.Migration, Contact: not null } ? [$"p2pmigrate resume {head.JobId}"] : [];

    private static string[] Resolutions(JobId job) => [$"p2pmigrate resolve {job} --keep target", $"p2pmigrate resolve {job} --keep source"];

    private static string WordOf(JobRole role, int state) => (role, state) switch
    {
        (_, 0) => "begun",
        (JobRole.Source, (int)SourceState.RolledBack) => "rolled back",
        (JobRole.Source, _) => ((SourceState)state).ToString().ToLowerInvariant(),
        _ => ((TargetState)state).ToString().ToLowerInvariant(),
    };
}
