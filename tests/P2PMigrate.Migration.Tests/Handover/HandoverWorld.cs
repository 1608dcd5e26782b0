using System.Globalization;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// Two machines and up to three containers that their owners send to and fro, under a virtual clock; which and when, and what goes wrong, is the seed's. The machines,
/// the journal and its bytes, and the rules of recovery are the product's own; the disk, the links, the containers and the order of work are the world's. After
/// every step the world looks whether a promise is broken.
/// </summary>
internal sealed class HandoverWorld
{
    /// <summary>How long the last jobs may take once nothing goes wrong any more, and no more begin.</summary>
    private static readonly TimeSpan s_toTheEnd = TimeSpan.FromMinutes(10);

    private readonly PriorityQueue<Action, (long, int)> _events = new();
    private readonly Dictionary<string, HandoverJob> _jobs = [];
    private readonly Dictionary<HandoverSide, HandoverLink> _links = [];
    private readonly List<string>? _story;
    private readonly string[] _containers;
    private readonly Instant _lastAttempt;
    private readonly Random _lateRandom;      // of its own, so that worlds without late memory stay as they were
    private int _sequence;

    public HandoverWorld(int seed, bool withFaults, List<string>? story = null, HandoverFlaw flaw = HandoverFlaw.None)
    {
        Random = new Random(seed);
        _lateRandom = new Random(~seed);
        (_story, Flaw) = (story, flaw);
        Faults = withFaults ? HandoverFaults.Of(Random) : HandoverFaults.None;
        Copies = new Copies(this);
        Agents = [new SimulatedAgent(this, "one"), new SimulatedAgent(this, "two")];
        _containers = ["web", "db", "cache"];
        _containers = _containers[..(1 + Random.Next(3))];
        foreach (string container in _containers)
            Copies.Start(Agents[Random.Next(2)].Name, container);
        _lastAttempt = default(Instant) + (withFaults ? HandoverFaults.End : TimeSpan.FromMinutes(30));
        Plan();
    }

    public Random Random { get; }

    public HandoverFaults Faults { get; }

    public HandoverFlaw Flaw { get; }

    /// <summary>Does a source in doubt ask the target?</summary>
    public bool Asks { get; init; } = true;

    /// <summary>Do some dumps leave memory for later?</summary>
    public bool LeavesMemory { get; init; } = true;

    public Copies Copies { get; }

    public MigrationTimers Timers { get; } = new();

    public SimulatedAgent[] Agents { get; }

    public Instant Now { get; private set; }

    /// <summary>The first promise that was broken, or null.</summary>
    public string? Violation { get; private set; }

    /// <summary>How jobs ended.</summary>
    public Dictionary<string, int> Ends { get; } = [];

    /// <summary>May things still go wrong?</summary>
    public bool IsTroubled => Now - default(Instant) < HandoverFaults.End;

    /// <summary>Has a bit changed on a disk? Then a doubt needs no other reason.</summary>
    public bool HasRotted { get; set; }

    /// <summary>Runs until nothing can happen any more, then lets a person end the doubts, and looks at what is left.</summary>
    public void Run()
    {
        RunUntilQuiet();
        foreach (SimulatedAgent agent in Agents)
            agent.Restart();
        RunUntilQuiet();
        if (Now - _lastAttempt > s_toTheEnd)
            Complain($"it took {Now - _lastAttempt} for everything to end");
        foreach (bool isTarget in (bool[])[true, false])   // a target that is in doubt itself is resolved before the source (MIG-57)
            ResolveAll(isTarget);
        LookAtTheEnd();
    }

    public void Tell(string what) => _story?.Add(string.Create(CultureInfo.InvariantCulture, $"{(Now - default(Instant)).TotalSeconds,9:0.000} {what}"));

    public void Complain(string violation)
    {
        Violation ??= violation;
        Tell($"VIOLATION: {violation}");
    }

    public void Count(string end) => Ends[end] = Ends.GetValueOrDefault(end) + 1;

    /// <summary>Does a fault of this frequency happen now?</summary>
    public bool Strikes(int oneIn) => oneIn > 0 && IsTroubled && Random.Next(oneIn) == 0;

    public void At(Instant at, Action action) => _events.Enqueue(action, (at.Nanoseconds, _sequence++));

    public void After(TimeSpan atMost, Action action) => At(Now + TimeSpan.FromMilliseconds(Random.Next(1, (int)atMost.TotalMilliseconds)), action);

    public HandoverJob? JobOf(string journal) => _jobs.GetValueOrDefault(journal);

    /// <summary>Has no later job of this container begun?</summary>
    public bool IsLatest(HandoverJob job) => _jobs.Values.Last(other => other.Container == job.Container) == job;

    /// <summary>Whoever waits for a container's memory hears that it is there.</summary>
    public void TellArrival(string machine, string container)
    {
        SimulatedAgent agent = Array.Find(Agents, agent => agent.Name == machine)!;
        foreach (HandoverSide side in agent.Sides.Where(side => side.Job.Container == container))
            At(Now, () => agent.Do(side, side.HearArrival));
    }

    /// <summary>A program that worked on a job is gone.</summary>
    public void Forsake(HandoverSide side)
    {
        if (_links.TryGetValue(side, out HandoverLink? link))
            link.Cut();
    }

    private void RunUntilQuiet()
    {
        while (Violation is null && NextStep() is { } step)
        {
            step();
            foreach (string container in _containers)
            {
                if (Copies.Running(container) > 1)
                    Complain($"two copies of {container} run");
                if (Copies.IsStranded(container))
                    Complain($"{container} runs and lacks memory that nobody has any more");
            }

            if (Now - default(Instant) > TimeSpan.FromHours(2))
                Complain("it does not end");
        }
    }

    private Action? NextStep()
    {
        Instant first = _events.TryPeek(out _, out (long At, int) next) ? new Instant(next.At) : Instant.Never;
        HandoverSide? due = null;
        SimulatedAgent? owner = null;
        foreach (SimulatedAgent agent in Agents)
        {
            foreach (HandoverSide side in agent.Sides)
            {
                if (side.NextTimeout < first)
                    (first, due, owner) = (side.NextTimeout, side, agent);
            }
        }

        if (first == Instant.Never)
            return null;
        Now = Instant.Max(Now, first);
        return due is null ? _events.Dequeue() : () => owner!.Do(due, due.HandleTimeout);
    }

    private void Plan()
    {
        At(_lastAttempt, () => { });   // the end waits for it
        foreach (string container in _containers)
        {
            int attempts = 1 + Random.Next(3);
            for (int attempt = 0; attempt < attempts; attempt++)
                After(_lastAttempt - default(Instant), () => Migrate(container));
        }

        for (int kill = 0; kill < Faults.Kills; kill++)
            After(HandoverFaults.End, Agents[Random.Next(2)].Kill);
        for (int cut = 0; cut < Faults.Cuts; cut++)
            After(HandoverFaults.End, () => PickSide(side => _links[side].Cut()));
        for (int gap = 0; gap < Faults.Gaps; gap++)
            After(HandoverFaults.End, () => PickSide(side => _links[side].GoAway()));
        for (int interrupt = 0; interrupt < Faults.Interrupts; interrupt++)
            After(HandoverFaults.End, () => PickSide(side => OwnerOf(side).Do(side, side.Interrupt)));
    }

    private void PickSide(Action<HandoverSide> action)
    {
        HandoverSide[] alive = [.. Agents.SelectMany(agent => agent.Sides).Where(_links.ContainsKey)];
        if (alive.Length > 0)
            action(alive[Random.Next(alive.Length)]);
    }

    private SimulatedAgent OwnerOf(HandoverSide side) => Array.Find(Agents, agent => agent.Sides.Contains(side))!;

    /// <summary>The owner sends a container away from where it runs, if anything lets them.</summary>
    private void Migrate(string container)
    {
        if (Array.Find(Agents, agent => agent.MaySendAway(container)) is not { } source || Array.Find(Agents, agent => agent != source) is not { IsReady: true } target)
            return;
        var job = new HandoverJob(new JobId((UInt128)(_jobs.Count + 1)), container, source.Name, target.Name) { IsLate = LeavesMemory && !HasRotted && _lateRandom.Next(3) == 0 };
        _jobs.Add(job.Id.ToString(), job);
        Tell($"{job} begins");
        try
        {
            Connect(job, source, target, source.CreateJournal(job, JobRole.Source));
        }
        catch (ProgramDied)
        {
            source.Kill();
        }
        catch (IOException)
        {
            // It was not begun.
        }
    }

    private void Connect(HandoverJob job, SimulatedAgent source, SimulatedAgent target, JobJournal journal)
    {
        var link = new HandoverLink(this);
        var receiver = new TargetSide(target, job, link);
        var sender = new SourceSide(source, job, journal, link, receiver);
        foreach ((SimulatedAgent agent, HandoverSide side) in ((SimulatedAgent, HandoverSide)[])[(target, receiver), (source, sender)])
        {
            link.Join(side);
            _links.Add(side, link);
            agent.Begin(side);
        }

        target.Do(receiver, receiver.Start);
        source.Do(sender, sender.Start);
    }

    private void ResolveAll(bool isTarget)
    {
        foreach (SimulatedAgent agent in Agents)
        {
            foreach (string name in agent.Disk.Names)
            {
                HandoverJob job = _jobs[name];
                if (Violation is null && (job.Target == agent.Name) == isTarget && !new RecoverySide(agent, job).Resolve())
                    Complain($"{job} was left at {agent.Name}, without a doubt");
            }
        }
    }

    private void LookAtTheEnd()
    {
        if (Violation is not null)
            return;
        foreach (string container in _containers)
        {
            if (Copies.Running(container) != 1)
                Complain($"{Copies.Running(container)} copies of {container} run in the end");
            if (Array.Exists(Agents, agent => Copies.Find(agent.Name, container) is { State: not CopyState.Running }))
                Complain($"a copy of {container} is left that does not run");
            if (Array.Exists(Agents, agent => agent.Bundles.ContainsKey(container) && Copies.Find(agent.Name, container) is null))
                Complain($"the files of a copy of {container} are left");
            if (Array.Exists(Agents, agent => Copies.Lacks(agent.Name, container)))
                Complain($"{container} lacks memory in the end");
        }

        if (Array.Exists(Agents, agent => agent.Disk.Names.Length > 0))
            Complain("a journal is left");
    }
}
