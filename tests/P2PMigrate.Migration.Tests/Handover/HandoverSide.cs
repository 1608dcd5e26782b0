using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// A program's work on one job: its journal, and pieces of work that take time, fail, and are cut off. The order in a piece is that of <c>SourceEffects</c>,
/// <c>TargetEffects</c> and <c>RecoveryEffects</c>: the record, the effect, the last record, the deletion.
/// </summary>
internal abstract class HandoverSide(SimulatedAgent agent, HandoverJob job)
{
    private readonly Queue<Action> _phases = new();
    private Action<Failure?>? _done;
    private int _piece;

    public HandoverJob Job => job;

    /// <summary>Has it a deadline?</summary>
    public virtual Instant NextTimeout => Instant.Never;

    protected SimulatedAgent Agent => agent;

    protected HandoverWorld World => agent.World;

    protected JobJournal? Journal { get; set; }

    public virtual void HandleTimeout()
    {
    }

    public virtual void Interrupt()
    {
    }

    /// <summary>Everything of the job is here.</summary>
    public virtual void Store()
    {
    }

    /// <summary>The container here lacks nothing any more.</summary>
    public virtual void HearArrival()
    {
    }

    public void Hear(ControlMessage message) => agent.Do(this, () => HandleMessage(message));

    public void HearEnd(string reason) => agent.Do(this, () => HandleSessionEnd(reason));

    /// <summary>Takes what the machine wants said and done, after whatever has happened.</summary>
    public virtual void Drain()
    {
    }

    protected virtual void HandleMessage(ControlMessage message)
    {
    }

    protected virtual void HandleSessionEnd(string reason)
    {
    }

    /// <summary>Does the phases one after the other; <paramref name="done"/> hears of the end, or of the first that failed.</summary>
    protected void Begin(Action<Failure?> done, params Action[] phases)
    {
        _phases.Clear();
        foreach (Action phase in phases)
            _phases.Enqueue(phase);
        _done = done;
        GoOn(++_piece, null);
    }

    /// <summary>The piece under way is stopped somewhere, and nobody hears of its end.</summary>
    protected void CutOff()
    {
        _piece++;   // nothing of it comes after
        for (int left = World.Random.Next(_phases.Count + 1); left > 0 && Try(_phases.Dequeue()) is null; left--)
            continue;
        _phases.Clear();
    }

    /// <summary>A record, durable.</summary>
    protected Action Record(Enum state) => () =>
    {
        World.Tell($"{Agent.Name}: {job} writes {state}");
        NoteTry(state);
        Journal!.Append(Convert.ToInt32(state), DateTimeOffset.UnixEpoch);
    };

    /// <summary>Something that is done to the world. It may fail before it has happened, and some things after.</summary>
    protected Action Effect(string what, Action effect, bool mayFailLate = true) => () =>
    {
        bool fails = World.Strikes(World.Faults.WorkFails);
        bool happens = !fails || (mayFailLate && World.Random.Next(2) == 0);
        World.Tell($"{Agent.Name}: {job}: {what}{(fails ? happens ? ", and then fails" : " fails" : "")}");
        if (happens)
            effect();
        if (fails)
            throw new ContainerException("work failed");
    };

    private void NoteTry(Enum state)
    {
        job.IsCommitTried |= state is SourceState.Committed;
        job.IsReleaseTried |= state is TargetState.Releasing;
    }

    private void GoOn(int piece, Failure? failure)
    {
        TimeSpan atMost = World.Faults.IsDiskSlow && World.IsTroubled && World.Random.Next(4) == 0 ? TimeSpan.FromSeconds(15) : TimeSpan.FromMilliseconds(600);
        World.After(atMost, () => agent.Do(this, () =>
        {
            if (piece != _piece)
                return;
            if (failure is null && _phases.Count > 0)
            {
                GoOn(piece, Try(_phases.Dequeue()));
                return;
            }

            _phases.Clear();
            _done!(failure);
        }));
    }

    private static Failure? Try(Action phase)
    {
        try
        {
            phase();
            return null;
        }
        catch (Exception exception) when (exception is not ProgramDied)
        {
            return FailureReason.Of(exception);
        }
    }
}
