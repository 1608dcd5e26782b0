using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>A job at the target, with the real machine and the real journal.</summary>
internal sealed class TargetSide(SimulatedAgent agent, HandoverJob job, HandoverLink link) : HandoverSide(agent, job)
{
    private readonly MigrationTarget _machine = new(agent.World.Timers) { TakesLate = true };
    private bool _isOver;
    private bool _isRestoreBegun;
    private bool _isWaiting;

    public override Instant NextTimeout => _machine.NextTimeout;

    /// <summary>Has the job this container's lock?</summary>
    public bool HasTurn { get; private set; }

    /// <summary>Has the job not ended here, and its program neither?</summary>
    public bool IsAtWork => Agent.Sides.Contains(this);

    public void Start() => _machine.Start(World.Now);

    public override void HandleTimeout() => _machine.HandleTimeout(World.Now);

    public override void Interrupt() => _machine.Cancel(World.Now);

    public override void Store() => Agent.Do(this, () => _machine.HandleStored(World.Now, StoredContent.Everything));

    public override void HearArrival()
    {
        if (_isWaiting)
            EndWell();
    }

    public override void Drain()
    {
        while (_machine.TryPollMessage(out ControlMessage? message))
            link.Send(this, message);
        while (_machine.TryPollRequest(out TargetRequest request))
            Begin(request);
        if (_machine.Result is { } result && !_isOver)
            End(result);
    }

    protected override void HandleMessage(ControlMessage message) => _machine.HandleMessage(World.Now, message);

    protected override void HandleSessionEnd(string reason) => _machine.HandleSessionEnd(World.Now, reason);

    private void Begin(TargetRequest request)
    {
        if (request.Work == TargetWork.Receive)
            return;
        if (request.Work == TargetWork.CleanUp)
            CutOff();
        Action[] record = request.Journal is { } state ? [Record(state)] : [];
        if (request.Work == TargetWork.Forget && Job.IsLate)
        {
            Begin(Await, record);
            return;
        }

        Begin(failure => Note(request.Work, failure), [.. record, .. PhasesOf(request.Work)]);
    }

    private Action[] PhasesOf(TargetWork work) => work switch
    {
        TargetWork.Check => [Check],
        TargetWork.Admit => [Admit, Record(TargetState.Receiving), Effect("makes the bundle", () => Agent.Bundles.Add(Job.Container, Job.Id))],
        TargetWork.Restore => [() => _isRestoreBegun = true, Effect("restores", () => World.Copies.Hold(Agent.Name, Job.Container, Job.Image, Job.IsLate), mayFailLate: false)],
        TargetWork.Release => [Effect("releases", () => World.Copies.Release(Agent.Name, Job.Container), mayFailLate: false)],
        TargetWork.Forget => [Record(TargetState.Completed), Forget],
        TargetWork.CleanUp when Journal is not null => [Effect("cleans up", CleanUp), Record(TargetState.Aborted), Forget],
        _ => [],
    };

    /// <summary>It runs here, and that is written down. Nothing of the job goes before it has all that it needs.</summary>
    // spec: MIG-100
    private void Await(Failure? failure)
    {
        _isWaiting = failure is null && World.Copies.Lacks(Agent.Name, Job.Container);
        if (failure is not null)
            Note(TargetWork.Forget, failure);
        else if (!_isWaiting)
            EndWell();
    }

    private void EndWell()
    {
        _isWaiting = false;
        Begin(failure => Note(TargetWork.Forget, failure), Record(TargetState.Completed), Forget);
    }

    /// <summary>What <c>TargetCheck</c> asks.</summary>
    private void Check()
    {
        if (!Agent.MayTakeIn(Job.Container, this))
            throw CheckFailedException.Of("container", "It cannot be taken in now.", "");
        HasTurn = true;
    }

    private void Admit() => Journal = Agent.CreateJournal(Job, JobRole.Target);

    private void CleanUp()
    {
        if (_isRestoreBegun)
            World.Copies.Remove(Agent.Name, Job.Container);
        Agent.RemoveBundle(Job.Container, Job.Id);
    }

    private void Forget()
    {
        if (_isRestoreBegun)
            Journal!.SetAside("ended");
        else
            Journal!.Delete();
    }

    private void Note(TargetWork work, Failure? failure)
    {
        if (failure is not null)
            _machine.HandleFailed(World.Now, work, failure);
        else if (work == TargetWork.Restore)
            _machine.HandleRestored(World.Now, default);
        else
            _machine.HandleDone(World.Now, work);
    }

    /// <summary>A container that was held to the end of the job is not let run any more.</summary>
    private void End(TargetResult result)
    {
        _isOver = true;
        World.Tell($"{Agent.Name}: {Job} ends as {result.End}: {result.Failure?.Reason} {result.Warning}");
        if (_isRestoreBegun)
            World.Copies.RemoveHeld(Agent.Name, Job.Container);
        if (_machine.HasSourceEnded)
            Agent.Disk.ForgetEnded(Job.Id.ToString());
        Agent.End(this);
        link.Close(this);
        if (result is { End: TargetState.Aborted, HadCommitted: true })
            World.Count("removed after the commit");
    }
}
