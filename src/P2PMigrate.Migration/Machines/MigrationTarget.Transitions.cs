using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol;
using static P2PMigrate.Migration.Machines.TargetEvent;
using static P2PMigrate.Migration.Machines.TargetState;

namespace P2PMigrate.Migration.Machines;

/// <summary>How the target gets from state to state, and what it does on entering one.</summary>
internal sealed partial class MigrationTarget
{
    private void Move(Instant now, TargetEvent on)
    {
        State = TargetTransitions.Table.Next(State, on);
        _deadline = Instant.Never;
        Enter(now);
        if (TargetTransitions.IsEnd(State))
            Result = new TargetResult(State, Proposal, State == Completed ? null : _failure, _warning) { HadCommitted = _releasedAt is not null };
    }

    private void Enter(Instant now)
    {
        switch (State)
        {
            case Checking:
                _requests.Enqueue(new TargetRequest(TargetWork.Check));
                break;
            case Admitting:
                _requests.Enqueue(new TargetRequest(TargetWork.Admit));
                break;
            case Receiving:
                _messages.Enqueue(new Accept { Costs = learned, TakesLate = TakesLate });
                _requests.Enqueue(new TargetRequest(TargetWork.Receive));
                _deadline = now + timers.ReceiveStall;
                break;
            case Restoring:
                _requests.Enqueue(new TargetRequest(TargetWork.Restore, Restoring));
                break;
            case Holding:
                _messages.Enqueue(new Prepared(_lease, _times));
                _deadline = _leaseHeardAt + timers.HoldLease;
                break;
            case Releasing:
                _releasedAt = now;
                _requests.Enqueue(new TargetRequest(TargetWork.Release, Releasing));
                break;
            case Confirming:
                EnterConfirming(now);
                break;
            case CleaningUp:
                SayAbort();
                _requests.Enqueue(new TargetRequest(TargetWork.CleanUp));
                break;
        }
    }

    /// <summary>Everything that the container needs must be stored before it can be built.</summary>
    // spec: MIG-25
    private void HandlePrepare(Instant now)
    {
        if (_stored != StoredContent.Everything)
        {
            Fail(now, new Failure(FailureKind.Peer, $"The source said Prepare but sent only: {_stored}."));
            return;
        }

        _leaseHeardAt = now;
        Move(now, PrepareHeard);
    }

    /// <summary>While held, an answered request renews the promise. Once this side wants to stop it answers no more.</summary>
    // spec: MIG-41, MIG-45
    private void HandleLease(Instant now, ulong number)
    {
        if (_failure is not null || number < _lease)
            return;
        (_lease, _leaseHeardAt) = (number, now);
        if (State != Holding)
            return;
        _messages.Enqueue(new StillPrepared(number));
        _deadline = now + timers.HoldLease;
    }

    /// <summary>The promise has run out and no commit came: the source did not commit in time to be heard.</summary>
    // spec: MIG-45
    private void EndPromise(Instant now)
    {
        _failure ??= new Failure(FailureKind.Peer, "The source did not commit in time.");
        Move(now, Failed);
    }

    private void EnterConfirming(Instant now)
    {
        _messages.Enqueue(new Running(now - _releasedAt!.Value));
        _requests.Enqueue(new TargetRequest(TargetWork.Forget, Confirming));
        _isSourceDone = _isSessionOver;
    }

    /// <summary>From now on the source has no more to do with it than to say its last word: while memory still came, that could not be waited for.</summary>
    // spec: MIG-100, MIG-103
    private void LackNothing(Instant now)
    {
        _isForgotten = true;
        _deadline = now + timers.Linger;
        FinishWhenHeard(now);
    }

    private void EndConfirming(Instant now)
    {
        _isSourceDone = true;
        FinishWhenHeard(now);
    }

    private void FinishWhenHeard(Instant now)
    {
        if (_isForgotten && _isSourceDone)
            Move(now, Finished);
    }

    private void Deny(Instant now, Failure failure)
    {
        _failure ??= failure;
        _messages.Enqueue(new Refuse(failure.Reason, failure.Findings));
        Move(now, Denied);
    }

    /// <summary>
    /// Something went wrong. Before <see cref="Holding"/> the source cannot have committed, so everything may go at once. While holding
    /// only the end of the promise, or the source's own word, ends the hold. After the commit only a release that fails turns back.
    /// </summary>
    // spec: MIG-44, MIG-45
    private void Fail(Instant now, Failure failure)
    {
        if (State is Releasing or Confirming or CleaningUp || TargetTransitions.IsEnd(State))
            return;
        _failure ??= failure;
        if (State != Holding)
            Move(now, Failed);
    }

    private void SayAbort()
    {
        if (!_isSessionOver && !_failure!.IsPeersWord)
            _messages.Enqueue(new Abort(_failure.Reason));
    }
}
