using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// The program on one machine: it works on its jobs, is killed, and is started again, when it first deals with the journals it finds. Its disk, its bundles and the
/// containers outlive it.
/// </summary>
internal sealed class SimulatedAgent
{
    private readonly List<HandoverSide> _sides = [];
    private static readonly TimeSpan s_untilAsked = TimeSpan.FromSeconds(45);

    /// <summary>So often a source asks whose container may lack memory: for ever, but for one whose target does not know either.</summary>
    private const int AskedAtMost = 8;

    private int _kills;

    public SimulatedAgent(HandoverWorld world, string name)
    {
        (World, Name) = (world, name);
        Disk = new SimulatedDisk(world.Random) { Strike = StrikeDisk, Lies = world.Flaw == HandoverFlaw.RecordsAreNotFlushed };
    }

    public HandoverWorld World { get; }

    public string Name { get; }

    public SimulatedDisk Disk { get; }

    /// <summary>Which job brought the bundle of a container here, for containers that were brought.</summary>
    public Dictionary<string, JobId> Bundles { get; } = [];

    /// <summary>Does the program run?</summary>
    public bool IsUp { get; private set; } = true;

    /// <summary>What it works on.</summary>
    public IReadOnlyList<HandoverSide> Sides => _sides;

    /// <summary>Has it dealt with what an earlier one left?</summary>
    public bool IsReady => IsUp && !_sides.Exists(side => side is RecoverySide { IsWaiting: false });

    /// <summary>Does something for a side that is still at work, and then whatever follows from it.</summary>
    public void Do(HandoverSide side, Action action)
    {
        if (!_sides.Contains(side))
            return;
        try
        {
            action();
            side.Drain();
        }
        catch (ProgramDied)
        {
            Kill();
        }
    }

    public void Begin(HandoverSide side) => _sides.Add(side);

    public void End(HandoverSide side) => _sides.Remove(side);

    /// <summary>Makes a job's journal.</summary>
    public JobJournal CreateJournal(HandoverJob job, JobRole role)
    {
        var head = new JournalHead(job.Id, role, job.Proposal.Name, "runc", "/b", "/b/rootfs", "peer", DateTimeOffset.UnixEpoch);
        byte[] content = JobJournal.NewContent(head);
        return JobJournal.Create(Disk.Create(job.Id.ToString(), content), content);
    }

    /// <summary>What the source asks of itself before it proposes: does it run here, and is no job of it under way or unfinished, be it the one that brought it?</summary>
    public bool MaySendAway(string container) =>
        IsReady
        && World.Copies.Find(Name, container) is { State: CopyState.Running }
        && !_sides.Exists(side => side.Job.Container == container)
        && !HasUnfinished(container, JobRole.Source)
        && !HasUnfinished(container, JobRole.Target);

    /// <summary>What <c>TargetCheck</c> asks: is the name free, the lock, the bundle's place, and is there no unfinished job of it?</summary>
    public bool MayTakeIn(string container, HandoverSide asking) =>
        World.Copies.Find(Name, container) is null
        && !Bundles.ContainsKey(container)
        && !_sides.Exists(side => side != asking && side.Job.Container == container && side is not TargetSide { HasTurn: false })
        && (World.Flaw == HandoverFlaw.UnfinishedJobsAreTakenIn || !(HasUnfinished(container, JobRole.Target) || HasUnfinished(container, JobRole.Source)));

    /// <summary>After the commit: the copy here goes, and its bundle if it was brought.</summary>
    public void Destroy(string container)
    {
        World.Copies.Remove(Name, container);
        Bundles.Remove(container);
    }

    /// <summary>What a job brought goes. It is found by its name alone, so that it had better be that job's.</summary>
    public void RemoveBundle(string container, JobId job)
    {
        if (Bundles.TryGetValue(container, out JobId brought) && brought != job)
            World.Complain($"the files of {container} at {Name} were removed in the name of another job");
        Bundles.Remove(container);
    }

    /// <summary>Dies at this instant.</summary>
    public void Kill()
    {
        if (!IsUp)
            return;
        World.Tell($"{Name}: killed");
        IsUp = false;
        _kills++;
        HandoverSide[] dead = [.. _sides];
        _sides.Clear();
        foreach (HandoverSide side in dead)
            World.Forsake(side);
        Disk.LoseWhatWasNotFlushed();
        if (World.Faults.Rots && World.IsTroubled && !World.HasRotted && !Array.Exists(Disk.Names, name => World.JobOf(name) is { IsLate: true }) && Disk.Rot())
            World.HasRotted = true;
        World.After(TimeSpan.FromMinutes(1), Start);
    }

    /// <summary>The program is started, if it does not run.</summary>
    public void Start()
    {
        if (IsUp)
            return;
        World.Tell($"{Name}: started");
        IsUp = true;
        foreach (string name in Disk.Names)
            Recover(name);
    }

    /// <summary>Is a job's memory taken in now? Of one that has been let run for good.</summary>
    // spec: MIG-105
    public bool TakesIn(HandoverJob job) => IsUp && Disk.Names.Contains(job.Id.ToString())
        && (World.Flaw == HandoverFlaw.MemoryIsTakenInTooEarly || Read(Disk.Open(job.Id.ToString()).Read()) is { LastState: (int)TargetState.Confirming });

    /// <summary>The target of a job in doubt is asked once, some time later; of one that has left memory, until it knows.</summary>
    public void AskLater(HandoverJob job)
    {
        if (World.Asks)
            World.At(World.Now + s_untilAsked, () => Ask(job));
    }

    /// <summary>What this target says of a job when it is asked; null when it does not answer now.</summary>
    // spec: MIG-190
    private JobFate? FateOf(HandoverJob job)
    {
        if (!IsReady)
            return null;
        string name = job.Id.ToString();
        JobFate fate = !Disk.Names.Contains(name) ? Read(Disk.FindEnded(name)) is { } ended ? JobFates.OfEnded(ended) : JobFate.Unknown
            : _sides.Exists(side => side.Job == job) ? JobFate.UnderWay
            : JobFates.OfUnfinished(Read(Disk.Open(name).Read()));
        return World.Flaw == HandoverFlaw.UnknownFatesAreGone && fate != JobFate.Runs ? JobFate.Gone : fate;
    }

    private void Ask(HandoverJob job)
    {
        if (!IsUp || !Disk.Names.Contains(job.Id.ToString()))
            return;
        if (!IsReady || _sides.Exists(side => side.Job == job))
        {
            AskAgain(job);
            return;
        }

        SimulatedAgent target = Array.Find(World.Agents, agent => agent.Name == job.Target)!;
        JobFate? fate = target.FateOf(job);
        World.Tell($"{Name}: {job} is in doubt, and the target says: {fate?.ToString() ?? "nothing"}");
        bool isFinal = fate is JobFate.Runs or JobFate.Gone;
        if (!isFinal && (!job.IsLate || fate != JobFate.UnderWay || !target.TakesIn(job)))
        {
            if (fate != JobFate.Unknown)
                AskAgain(job);
            return;
        }

        var side = new RecoverySide(this, job);
        _sides.Add(side);
        Do(side, isFinal ? () => side.Hear(fate!.Value) : () => side.Give(target));
    }

    private void AskAgain(HandoverJob job)
    {
        if (job.IsLate && IsInDoubt(job) && job.Asked++ < AskedAtMost)
            AskLater(job);
    }

    private bool IsInDoubt(HandoverJob job) => Read(Disk.Open(job.Id.ToString()).Read()) is not { } contents || RecoveryRules.For(contents) == RecoveryAction.InDoubt;

    private static JournalContents? Read(byte[]? content) => content is not null && JournalContents.TryParse(content, out JournalContents? contents, out _) ? contents : null;

    /// <summary>Ends, having nothing to do, and is started again.</summary>
    public void Restart()
    {
        if (_sides.Count > 0)
            World.Complain($"{Name} has not come to the end of {_sides[0].Job}");
        IsUp = false;
        Start();
    }

    private void Recover(string name)
    {
        if (!IsUp || World.JobOf(name) is not { } job)
            return;
        var side = new RecoverySide(this, job);
        _sides.Add(side);
        Do(side, side.Start);
    }

    private bool HasUnfinished(string container, JobRole role) =>
        Array.Exists(Disk.Names, name => World.JobOf(name) is { } job && job.Container == container && (role == JobRole.Source ? job.Source : job.Target) == Name);

    private DiskFault? StrikeDisk(DiskAccess access)
    {
        HandoverFaults faults = World.Faults;
        if (_kills < 4 && World.Strikes(faults.DeathAtDisk))
            return DiskFault.Death;
        if (access != DiskAccess.Delete && World.Strikes(faults.DiskFull))
            return DiskFault.Full;
        return access != DiskAccess.Delete && World.Strikes(faults.DiskErrors) ? DiskFault.Error : null;
    }
}
