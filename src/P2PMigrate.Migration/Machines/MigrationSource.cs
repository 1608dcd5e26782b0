using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol;
using static P2PMigrate.Migration.Machines.SourceEvent;
using static P2PMigrate.Migration.Machines.SourceState;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// The source's side of one job, as a plain object: no tasks, no clock, no files. Chapter 11 is its specification.
/// <para>Getters: <see cref="State"/>, <see cref="NextTimeout"/>, <see cref="Result"/>.</para>
/// <para><c>Handle…</c> for what happens: a message, the end or failure of a piece of work, progress, the end of the session, a deadline.
/// <see cref="Start"/> and <see cref="Cancel"/> for what the user wants.</para>
/// <para><c>TryPoll…</c> for what it wants done. After every input the caller polls both until they are empty, then waits for
/// the next input or <see cref="NextTimeout"/>. One owner; time never runs backwards.</para>
/// </summary>
internal sealed partial class MigrationSource(Propose proposal, MigrationTimers timers, Convergence? convergence = null)
{
    /// <summary>How often a thaw or a destroy is tried before the job ends with what is.</summary>
    public const int AttemptsMax = 10;

    private readonly Queue<ControlMessage> _messages = new();
    private readonly Queue<SourceRequest> _requests = new();
    private readonly LeaseLedger _leases = new(timers.CommitLease);
    private readonly Convergence _convergence = convergence ?? new Convergence(new CopyOptions(), default);

    private Failure? _failure;           // the first reason wins
    private bool _isSessionOver;
    private bool _isPrepared;            // the target has said so
    private bool _hasLeft;               // the dump has left memory here
    private bool _isGiving;              // the container runs at the target, and needs that
    private TargetTimes _times;
    private int _round;
    private int _attempts;
    private string? _warning;

    private Instant _deadline = Instant.Never;     // of the state
    private Instant _renewAt = Instant.Never;      // the next lease request
    private Instant _retryAt = Instant.Never;      // the next attempt to thaw or to destroy

    /// <summary>Where the job stands.</summary>
    public SourceState State { get; private set; } = Proposing;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => Instant.Min(_deadline, Instant.Min(_renewAt, _retryAt));

    /// <summary>The end, or null while there is none.</summary>
    public SourceResult? Result { get; private set; }

    /// <summary>The live round under way or done last.</summary>
    public int Round => _round;

    /// <summary>What the live round that was done last was like, and why it was the last one if it was.</summary>
    public RoundSummary? LastRound => _convergence.Last;

    /// <summary>How fast content travelled in the live rounds, in bytes a second before compression.</summary>
    public double ContentRate => _convergence.Rate;

    /// <summary>What the switchover was expected to cost beside sending.</summary>
    public DowntimeCosts ExpectedCosts => _convergence.Costs;

    /// <summary>Was <see cref="ContentRate"/> measured, or is it what is usual?</summary>
    public bool IsContentRateKnown => _convergence.IsRateKnown;

    /// <summary>Has the target said that memory may follow later?</summary>
    // spec: MIG-101
    public bool TakesLate { get; private set; }

    /// <summary>Is the dump to leave memory for later? Known when the rounds are over.</summary>
    public bool Leaves => TakesLate && _convergence.Leaves;

    /// <summary>What a word and its answer take at present, as far as the caller knows.</summary>
    public TimeSpan RoundTrip { get; set; }

    /// <summary>Proposes the container.</summary>
    public void Start(Instant now)
    {
        _messages.Enqueue(proposal);
        _deadline = now + timers.Answer;
    }

    /// <summary>The user wants it to stop. Before the commit point it rolls back; after it nothing happens.</summary>
    // spec: MIG-13
    public void Cancel(Instant now)
    {
        if (State is not (Committing or Committed or Giving))
            Fail(now, new Failure(FailureKind.Interrupted, "The migration was interrupted."));
    }

    /// <summary>The target said something.</summary>
    // spec: MIG-11
    public void HandleMessage(Instant now, ControlMessage message)
    {
        HandleProgress(now);
        switch (message)
        {
            case Accept accept when State == Proposing:
                _convergence.Hear(accept.Costs);
                TakesLate = accept.TakesLate;
                Move(now, Accepted);
                break;
            case Refuse refuse when State == Proposing:
                Fail(now, new Failure(FailureKind.Preflight, refuse.Reason) { Findings = refuse.Findings, IsPeersWord = true });
                break;
            case Prepared prepared when State == Preparing:
                (_isPrepared, _times) = (true, new TargetTimes(prepared.Times, default));
                CommitIfFresh(now, prepared.Lease);
                break;
            case StillPrepared still when State == Preparing && _isPrepared:
                CommitIfFresh(now, still.Lease);
                break;
            case StillPrepared when State is Committing or Committed or Giving or Destroying:
                break;
            case Running running when State == Committed:
                _times = _times with { Release = running.Release };
                Move(now, _hasLeft ? LackingHeard : RunningHeard);
                break;
            case Abort abort:
                Fail(now, new Failure(FailureKind.Peer, $"The target gave up: {abort.Reason}") { IsPeersWord = true });
                break;
            default:
                Fail(now, new Failure(FailureKind.Peer, $"The target said {message.GetType().Name} when it was not its turn."));
                break;
        }
    }

    /// <summary>The dump has left memory here, which is to follow.</summary>
    public void NoteLeft() => _hasLeft = true;

    /// <summary>
    /// A piece of work is done. <paramref name="bytes"/> is what a round sent of the root file system, <paramref name="memory"/> its pass over memory. Work that was
    /// given up on may still end; nobody minds.
    /// </summary>
    public void HandleDone(Instant now, SourceWork work, long bytes = 0, MemoryRound? memory = null)
    {
        switch (work, State)
        {
            case (SourceWork.CopyRound, Copying):
                HandleRound(now, new RoundFigures(bytes, memory));
                break;
            case (SourceWork.Freeze, Freezing):
                Move(now, Frozen);
                break;
            case (SourceWork.Dump, Dumping):
                Move(now, Dumped);
                break;
            case (SourceWork.Ship, Shipping):
                Move(now, Shipped);
                break;
            case (SourceWork.Commit, Committing):
                Move(now, CommitDurable);
                break;
            case (SourceWork.Give, Giving):
                Move(now, Given);
                break;
            case (SourceWork.Destroy, Destroying):
                Move(now, Destroyed);
                break;
            case (SourceWork.RollBack, RollingBack):
                Move(now, Thawed);
                break;
        }
    }

    /// <summary>A piece of work failed.</summary>
    public void HandleFailed(Instant now, SourceWork work, Failure failure)
    {
        if ((work, State) is (SourceWork.RollBack, RollingBack) or (SourceWork.Destroy, Destroying))
            HandleFailedAttempt(now, failure);
        else if ((work, State) is (SourceWork.Commit, Committing))
            Abandon(now, failure);
        else
            Fail(now, failure);
    }

    /// <summary>Bytes moved: the stall deadlines begin anew.</summary>
    public void HandleProgress(Instant now)
    {
        if (StallAllowance(State) is TimeSpan allowance)
            _deadline = now + allowance;
    }

    /// <summary>The target said something that is no message at all.</summary>
    public void HandleFault(Instant now, string reason) => Fail(now, new Failure(FailureKind.Peer, reason));

    /// <summary>The session has ended; nothing more will be heard or said.</summary>
    // spec: MIG-12
    public void HandleSessionEnd(Instant now, string reason)
    {
        _isSessionOver = true;
        Fail(now, new Failure(FailureKind.Peer, $"The connection to the target ended: {reason}"));
    }

    /// <summary>The time is <see cref="NextTimeout"/> or later.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now >= _renewAt)
            RenewLease(now);
        if (now >= _retryAt)
            Retry();
        if (now >= _deadline)
            Fail(now, new Failure(FailureKind.Peer, DeadlineReason(State)));
    }

    /// <summary>The next message for the target, in order.</summary>
    public bool TryPollMessage([NotNullWhen(true)] out ControlMessage? message) => _messages.TryDequeue(out message);

    /// <summary>The next thing to do.</summary>
    public bool TryPollRequest(out SourceRequest request) => _requests.TryDequeue(out request);
}
