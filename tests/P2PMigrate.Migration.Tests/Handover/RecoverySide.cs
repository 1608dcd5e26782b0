using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>A program that was started deals with one journal that it found, by the rules.</summary>
internal sealed class RecoverySide(SimulatedAgent agent, HandoverJob job) : HandoverSide(agent, job)
{
    private JournalContents? _contents;

    /// <summary>Is it about a container that runs here and lacks memory that its source has to send? That does not keep the program from anything else.</summary>
    public bool IsWaiting { get; private set; }

    private bool MustWait => _contents is { Head.Role: JobRole.Target } && World.Copies.Find(Agent.Name, Job.Container) is { State: CopyState.Running, LacksMemory: true };

    /// <summary>By what its journal says.</summary>
    public void Start()
    {
        RecoveryAction action = Open();
        World.Tell($"{Agent.Name}: {Job} is found {LastWord}: {action}");
        if (action != RecoveryAction.InDoubt)
        {
            Carry(action);
            return;
        }

        bool isTried = _contents?.Head.Role == JobRole.Source ? Job.IsCommitTried : Job.IsReleaseTried;
        if (!World.HasRotted && (_contents is null || (!isTried && !_contents.HasTornTail)))
            World.Complain($"{Job} is in doubt at {Agent.Name}, and had not committed");
        if (World.Asks && _contents is { Head.Role: JobRole.Target } && (World.Random.Next(4) > 0 || Job.IsLate))
        {
            Carry(Judge());
            return;
        }

        Agent.End(this);
        if (Job.Source == Agent.Name)
            Agent.AskLater(Job);
    }

    public override void HearArrival()
    {
        if (IsWaiting)
            Begin(End, Delete);
        IsWaiting = false;
    }

    private void Carry(RecoveryAction action)
    {
        if (action != RecoveryAction.Forgotten || !MustWait)
            Begin(End, PhasesOf(action));
        else
            Begin(Wait, _contents!.LastState < (int)TargetState.Confirming ? [Record(TargetState.Confirming)] : []);
    }

    // spec: MIG-105
    private void Wait(Failure? failure)
    {
        IsWaiting = failure is null && MustWait;
        if (failure is not null)
            End(failure);
        else if (!IsWaiting)
            Begin(End, Delete);
    }

    /// <summary>The copy here says what the journal does not, unless the machine was started again.</summary>
    // spec: MIG-59
    private RecoveryAction Judge()
    {
        RecoveryAction action = World.Copies.Find(Agent.Name, Job.Container)?.State == CopyState.Running ? RecoveryAction.Forgotten : RecoveryAction.CleanedUp;
        World.Tell($"{Agent.Name}: by what is here of {Job} it is {action}");
        World.Count($"a target's doubt ended: {action}");
        return action;
    }

    /// <summary>The target has said how the job ended there.</summary>
    public void Hear(JobFate fate)
    {
        if (Open() != RecoveryAction.InDoubt)
        {
            Agent.End(this);
            return;
        }

        World.Tell($"{Agent.Name}: {Job} ends by the target's word: {fate}");
        World.Count($"a doubt ended: {fate}");
        Begin(End, PhasesOf(fate == JobFate.Runs ? RecoveryAction.Destroyed : RecoveryAction.Thawed));
    }

    /// <summary>The target has said that the job has not ended there, and memory is left here.</summary>
    // spec: MIG-105
    public void Give(SimulatedAgent target)
    {
        if (Open() != RecoveryAction.InDoubt)
        {
            Agent.End(this);
            return;
        }

        Begin(End, [Effect("gives", () => GiveTo(target)), .. PhasesOf(RecoveryAction.Destroyed)]);
    }

    private void GiveTo(SimulatedAgent target)
    {
        if (!target.TakesIn(Job))
            throw new IOException("the target takes nothing in");
        World.Count("memory followed on another session");
        World.Copies.Complete(Job.Target, Job.Container);
    }

    /// <summary>
    /// A person has looked at both machines, and says which copy to keep; of a journal that is damaged, nobody but that person knows what it was about. False when
    /// there was no doubt.
    /// </summary>
    public bool Resolve()
    {
        if (Open() != RecoveryAction.InDoubt)
            return false;
        if (World.Copies.Lacks(Job.Target, Job.Container) && World.Copies.Find(Job.Target, Job.Container)!.State == CopyState.Running)
            World.Complain($"{Job}: a person is asked while memory is left at the source");
        bool runsAtTarget = World.Copies.Find(Job.Target, Job.Container)?.State == CopyState.Running;
        bool isSource = Job.Source == Agent.Name;
        World.Tell($"{Agent.Name}: {Job} is resolved, keep {(runsAtTarget ? "target" : "source")}");
        RecoveryAction action = (isSource, runsAtTarget) switch
        {
            (true, true) => RecoveryAction.Destroyed,
            (true, false) => RecoveryAction.Thawed,
            (false, true) => RecoveryAction.Forgotten,
            (false, false) => RecoveryAction.CleanedUp,
        };
        foreach (Action phase in PhasesOf(action))
            phase();
        return true;
    }

    private string LastWord => _contents is null ? "damaged" : $"at record {_contents.LastState} of {_contents.Head.Role}{(_contents.HasTornTail ? ", torn" : "")}";

    private RecoveryAction Open()
    {
        string name = Job.Id.ToString();
        try
        {
            (Journal, _contents) = JobJournal.Open(Agent.Disk.Open(name), name);
            return World.Flaw switch
            {
                HandoverFlaw.TornTailsAreOverlooked => RecoveryRules.For(_contents with { HasTornTail = false }),
                HandoverFlaw.DoubtsAreThawed when IsDoubtOf(JobRole.Source, _contents) => RecoveryAction.Thawed,
                HandoverFlaw.DoubtsAreCleanedUp when IsDoubtOf(JobRole.Target, _contents) => RecoveryAction.CleanedUp,
                _ => RecoveryRules.For(_contents),
            };
        }
        catch (MigrationException)
        {
            return RecoveryAction.InDoubt;
        }
    }

    private static bool IsDoubtOf(JobRole role, JournalContents contents) =>
        contents.Head.Role == role && RecoveryRules.For(contents) == RecoveryAction.InDoubt;

    private Action[] PhasesOf(RecoveryAction action) => action switch
    {
        RecoveryAction.Thawed => [Effect("thaws", () => World.Copies.Thaw(Agent.Name, Job.Container)), .. Forget(SourceState.RolledBack)],
        RecoveryAction.Destroyed => [Effect("destroys", () => Agent.Destroy(Job.Container)), .. Forget(SourceState.Completed)],
        RecoveryAction.CleanedUp when _contents?.LastState == (int)TargetState.Aborted => Forget(TargetState.Aborted),
        RecoveryAction.CleanedUp => [Effect("cleans up", CleanUp), .. Forget(TargetState.Aborted)],
        _ when _contents is { Head.Role: JobRole.Target, LastState: < (int)TargetState.Confirming } => [Record(TargetState.Confirming), Delete],
        _ => [Delete],
    };

    private void CleanUp()
    {
        World.Copies.Remove(Agent.Name, Job.Container);
        Agent.RemoveBundle(Job.Container, Job.Id);
    }

    private Action[] Forget(Enum end) => _contents is null || _contents.LastState == Convert.ToInt32(end) ? [Delete] : [Record(end), Delete];

    private void Delete()
    {
        if (Journal is { } asked && _contents!.MayBeAskedFor)
            asked.SetAside("ended");
        else if (Journal is { } journal)
            journal.Delete();
        else
            Agent.Disk.Open(Job.Id.ToString()).Delete();
    }

    /// <summary>What failed is tried again at the next start.</summary>
    private void End(Failure? failure)
    {
        Agent.End(this);
        if (Job.IsLate && Job.Source == Agent.Name)
            Agent.AskLater(Job); // if it is there still
    }
}
