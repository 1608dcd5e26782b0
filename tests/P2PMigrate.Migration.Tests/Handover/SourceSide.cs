using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>A job at the source, with the real machine and the real journal.</summary>
internal sealed class SourceSide(SimulatedAgent agent, HandoverJob job, JobJournal journal, HandoverLink link, TargetSide target) : HandoverSide(agent, job)
{
    private readonly MigrationSource _machine = new(job.Proposal, agent.World.Timers);
    private bool _isOver;

    public override Instant NextTimeout => _machine.NextTimeout;

    public void Start()
    {
        Journal = journal;
        _machine.Start(World.Now);
    }

    public override void HandleTimeout() => _machine.HandleTimeout(World.Now);

    public override void Interrupt() => _machine.Cancel(World.Now);

    public override void Drain()
    {
        while (_machine.TryPollMessage(out ControlMessage? message))
            link.Send(this, message);
        while (_machine.TryPollRequest(out SourceRequest request))
            Begin(request);
        if (_machine.Result is { } result && !_isOver)
            End(result);
    }

    protected override void HandleMessage(ControlMessage message) => _machine.HandleMessage(World.Now, message);

    protected override void HandleSessionEnd(string reason) => _machine.HandleSessionEnd(World.Now, reason);

    private void Begin(SourceRequest request)
    {
        if (request.Work == SourceWork.RollBack)
            CutOff();
        Action[] record = request.Journal is { } state ? [Record(state)] : [];
        Begin(failure => Note(request.Work, failure), [.. record, .. PhasesOf(request.Work)]);
    }

    private Action[] PhasesOf(SourceWork work) => work switch
    {
        SourceWork.CopyRound => [Effect("copies", () => { })],
        SourceWork.Freeze => [Effect("freezes", () => World.Copies.Freeze(Agent.Name, Job.Container), mayFailLate: false)],
        SourceWork.Dump => [Effect("dumps", () => Job.Image = World.Copies.Find(Agent.Name, Job.Container)!.Counter)],
        SourceWork.Ship => [Effect("ships", Ship, mayFailLate: false)],
        SourceWork.Give => [Effect("begins to give", () => { }), Effect("gives", Give)],
        SourceWork.Destroy => [Effect("destroys", () => Agent.Destroy(Job.Container)), Record(SourceState.Completed), Journal!.Delete],
        SourceWork.RollBack => [Effect("thaws", () => World.Copies.Thaw(Agent.Name, Job.Container)), Record(SourceState.RolledBack), Journal!.Delete],
        _ => [],
    };

    private void Ship()
    {
        if (!link.IsUp)
            throw new IOException("the link is cut");
        target.Store();
    }

    /// <summary>What the target does not say it has may have come there.</summary>
    private void Give()
    {
        if (!link.IsUp || !target.IsAtWork)
            throw new IOException("the link is cut");
        World.Copies.Complete(Job.Target, Job.Container);
    }

    private void Note(SourceWork work, Failure? failure)
    {
        if (failure is null && work == SourceWork.Dump && Job.IsLate && World.Flaw != HandoverFlaw.MemoryLeftIsForgotten)
            _machine.NoteLeft();
        if (failure is not null)
            _machine.HandleFailed(World.Now, work, failure);
        else
            _machine.HandleDone(World.Now, work, World.Random.Next(1 << 24));
    }

    private void End(SourceResult result)
    {
        _isOver = true;
        World.Tell($"{Agent.Name}: {Job} ends as {result.End}: {result.Failure?.Reason}{result.Warning}");
        Agent.End(this);
        link.Close(this);
        if (result.End == SourceState.InDoubt)
            Agent.AskLater(Job);
        bool isMine = World.IsLatest(Job);
        if (result.End == SourceState.InDoubt && !Job.IsCommitTried && result.Warning is null)
            World.Complain($"{Job} is in doubt at the source, and had not committed");
        if (result.End == SourceState.Completed && isMine && World.Copies.Find(Job.Target, Job.Container)?.State != CopyState.Running)
            World.Complain($"{Job} completed, and the container does not run at the target");
        if (result.End == SourceState.RolledBack && isMine && World.Copies.Find(Job.Source, Job.Container)?.State != CopyState.Running)
            World.Complain($"{Job} was rolled back, and the container does not run at the source");
        World.Count(result.End == SourceState.Completed ? "migrated" : result.End == SourceState.InDoubt ? "in doubt at the source" : "running at the source");
    }
}
