using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol;
using static P2PMigrate.Migration.Machines.TargetEvent;
using static P2PMigrate.Migration.Machines.TargetState;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// The target's side of one job, as a plain object like <see cref="MigrationSource"/>, with the same kinds of methods and the same
/// rule: after every input poll both outputs until they are empty. Chapter 11 is its specification.
/// </summary>
internal sealed partial class MigrationTarget(MigrationTimers timers, DowntimeCosts? learned = null)
{
    private readonly Queue<ControlMessage> _messages = new();
    private readonly Queue<TargetRequest> _requests = new();

    private Failure? _failure;           // the first reason wins
    private bool _isSessionOver;
    private bool _isForgotten;           // nothing of the job is left to tidy
    private bool _isSourceDone;          // the source has heard, or will not hear any more
    private StoredContent _stored;
    private ulong _lease;                // the highest lease request heard
    private Instant _leaseHeardAt;
    private PrepareTimes _times;
    private Instant? _releasedAt;        // when the release began
    private string? _warning;

    private Instant _deadline = Instant.Never;     // of the state; while holding, the end of the promise

    /// <summary>Where the job stands.</summary>
    public TargetState State { get; private set; } = Waiting;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => _deadline;

    /// <summary>The end, or null while there is none.</summary>
    public TargetResult? Result { get; private set; }

    /// <summary>Does it run here, with nothing left to do but to wait for the source's last word?</summary>
    public bool HasArrived => _isForgotten;

    /// <summary>Has the source said that the job has ended there too? Then it never asks.</summary>
    // spec: MIG-192
    public bool HasSourceEnded { get; private set; }

    /// <summary>What is left to do by hand, or null.</summary>
    public string? Warning => _warning;

    /// <summary>May memory follow when the container runs already?</summary>
    // spec: MIG-101
    public bool TakesLate { get; set; }

    /// <summary>What was proposed, or null.</summary>
    public Propose? Proposal { get; private set; }

    /// <summary>The session is there.</summary>
    public void Start(Instant now) => _deadline = now + timers.Proposal;

    /// <summary>This side wants it to stop. A target that has promised to hold keeps its promise first.</summary>
    // spec: MIG-13, MIG-45
    public void Cancel(Instant now) => Fail(now, new Failure(FailureKind.Interrupted, "The target was interrupted."));

    /// <summary>The source said something.</summary>
    // spec: MIG-11
    public void HandleMessage(Instant now, ControlMessage message)
    {
        HandleProgress(now);
        switch (message)
        {
            case Propose proposal when State == Waiting:
                Proposal = proposal;
                Move(now, Proposed);
                break;
            case Prepare when State == Receiving:
                HandlePrepare(now);
                break;
            case LeaseRequest request when State is Restoring or Holding:
                HandleLease(now, request.Number);
                break;
            case Commit when State == Holding:
                _failure = null; // what wanted it to stop came too late, and is no reason for anything that fails now
                Move(now, CommitHeard);
                break;
            case Done when State == Confirming:
                HasSourceEnded = true;
                EndConfirming(now);
                break;
            case Abort abort when State == Holding:
                _failure ??= SourcesWord(abort);
                Move(now, Failed);
                break;
            case Abort abort:
                Fail(now, SourcesWord(abort));
                break;
            case LeaseRequest or Commit when State is Releasing or CleaningUp:
                break;
            default:
                Fail(now, new Failure(FailureKind.Peer, $"The source said {message.GetType().Name} when it was not its turn."));
                break;
        }
    }

    /// <summary>Content of a kind is complete and stored.</summary>
    public void HandleStored(Instant now, StoredContent content)
    {
        HandleProgress(now);
        _stored |= content;
    }

    /// <summary>A piece of work is done. Work that was given up on may still end; nobody minds.</summary>
    public void HandleDone(Instant now, TargetWork work)
    {
        switch (work, State)
        {
            case (TargetWork.Check, Checking):
                Move(now, ChecksPassed);
                break;
            case (TargetWork.Admit, Admitting):
                Move(now, Admitted);
                break;
            case (TargetWork.Release, Releasing):
                Move(now, Released);
                break;
            case (TargetWork.Forget, Confirming):
                LackNothing(now);
                break;
            case (TargetWork.CleanUp, CleaningUp):
                Move(now, CleanedUp);
                break;
        }
    }

    /// <summary>The container is built and held.</summary>
    public void HandleRestored(Instant now, PrepareTimes times)
    {
        if (State != Restoring)
            return;
        _times = times;
        Move(now, Restored);
    }

    /// <summary>A piece of work failed. A failure of kind <see cref="FailureKind.Preflight"/> is a check that said no.</summary>
    public void HandleFailed(Instant now, TargetWork work, Failure failure)
    {
        switch (work, State)
        {
            case (TargetWork.Check, Checking) or (TargetWork.Admit, Admitting) when failure.Kind == FailureKind.Preflight:
                Deny(now, failure);
                break;
            case (TargetWork.Release, Releasing):
                _failure ??= failure;
                Move(now, ReleaseFailed);
                break;
            case (TargetWork.Forget, Confirming):
                (_isForgotten, _warning) = (true, failure.Reason);
                EndConfirming(now); // nothing more is taken in: what the source still has it keeps
                break;
            case (TargetWork.CleanUp, CleaningUp):
                _warning = failure.Reason;
                Move(now, GaveUp);
                break;
            default:
                Fail(now, failure);
                break;
        }
    }

    /// <summary>Bytes moved: the stall deadline begins anew.</summary>
    public void HandleProgress(Instant now)
    {
        if (State == Receiving)
            _deadline = now + timers.ReceiveStall;
    }

    /// <summary>The source said something that is no message at all.</summary>
    public void HandleFault(Instant now, string reason) => Fail(now, new Failure(FailureKind.Peer, reason));

    /// <summary>The session has ended; nothing more will be heard or said.</summary>
    // spec: MIG-12
    public void HandleSessionEnd(Instant now, string reason)
    {
        _isSessionOver = true;
        if (State == Confirming)
            EndConfirming(now);
        else
            Fail(now, new Failure(FailureKind.Peer, $"The connection to the source ended: {reason}"));
    }

    /// <summary>The time is <see cref="NextTimeout"/> or later.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now < _deadline)
            return;
        _deadline = Instant.Never;
        if (State == Confirming)
            EndConfirming(now);
        else if (State == Holding)
            EndPromise(now);
        else
            Fail(now, new Failure(FailureKind.Peer, State == Waiting ? "Nothing was proposed in time." : "Nothing arrived for too long."));
    }

    /// <summary>The next message for the source, in order.</summary>
    public bool TryPollMessage([NotNullWhen(true)] out ControlMessage? message) => _messages.TryDequeue(out message);

    /// <summary>The next thing to do.</summary>
    public bool TryPollRequest(out TargetRequest request) => _requests.TryDequeue(out request);

    private static Failure SourcesWord(Abort abort) =>
        new(FailureKind.Peer, $"The source gave up: {abort.Reason}") { IsPeersWord = true };
}
