using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol;
using static P2PMigrate.Migration.Machines.SourceEvent;
using static P2PMigrate.Migration.Machines.SourceState;

namespace P2PMigrate.Migration.Machines;

/// <summary>How the source gets from state to state, and what it does on entering one.</summary>
internal sealed partial class MigrationSource
{
    private void Move(Instant now, SourceEvent on)
    {
        State = SourceTransitions.Table.Next(State, on);
        _deadline = StallAllowance(State) is TimeSpan stall ? now + stall : Instant.Never;
        Enter(now, on);
        if (SourceTransitions.IsEnd(State))
            Finish();
    }

    private void Enter(Instant now, SourceEvent on)
    {
        switch (State)
        {
            case Copying:
                _requests.Enqueue(new SourceRequest(SourceWork.CopyRound, on == Accepted ? Copying : null, _round));
                break;
            case Freezing:
                _requests.Enqueue(new SourceRequest(SourceWork.Freeze, Freezing));
                _deadline = now + timers.Freeze;
                break;
            case Dumping:
                _requests.Enqueue(new SourceRequest(SourceWork.Dump));
                break;
            case Shipping:
                _requests.Enqueue(new SourceRequest(SourceWork.Ship, Round: _round + 1));
                break;
            case Preparing:
                AskToPrepare(now);
                break;
            case Committing:
                _requests.Enqueue(new SourceRequest(SourceWork.Commit, Committed));
                break;
            case Committed:
                EnterCommitted(now);
                break;
            case Giving:
                (_isGiving, _renewAt) = (true, Instant.Never);
                _requests.Enqueue(new SourceRequest(SourceWork.Give, Giving));
                break;
            case Destroying:
                _requests.Enqueue(new SourceRequest(SourceWork.Destroy, Destroying));
                break;
            case Completed when on == Destroyed && !_isSessionOver:
                _messages.Enqueue(new Done()); // no restart can leave this side in doubt any more (MIG-192)
                break;
            case RollingBack:
                EnterRollingBack();
                break;
        }
    }

    private void HandleRound(Instant now, RoundFigures figures)
    {
        if (_convergence.Judge(figures, RoundTrip).End != RoundsEnd.None)
        {
            Move(now, Converged);
            return;
        }

        _round++;
        Move(now, RoundCopied);
    }

    private void AskToPrepare(Instant now)
    {
        _messages.Enqueue(new Prepare());
        _leases.Send(now);
        _deadline = now + timers.Prepare + TimeToWriteMemory;
        _renewAt = now + timers.LeaseRenewal;
    }

    private void RenewLease(Instant now)
    {
        _messages.Enqueue(new LeaseRequest(_leases.Send(now)));
        _renewAt = now + timers.LeaseRenewal;
    }

    /// <summary>
    /// The commit decision. The target promised, in answer to a request of known age, to hold for longer than that age. An old answer, as a
    /// source finds that was stopped for a while, may be a dead peer's: the next one decides.
    /// </summary>
    // spec: MIG-40, MIG-47
    private void CommitIfFresh(Instant now, ulong lease)
    {
        if (_leases.IsFresh(lease, now, timers.FreshAnswer + RoundTrip * 2))
            Move(now, PreparedInLease);
    }

    /// <summary>The record is on disk: say so. If the session ended while it was being written, nobody hears it.</summary>
    // spec: MIG-41, MIG-43
    private void EnterCommitted(Instant now)
    {
        _renewAt = Instant.Never;
        _deadline = now + timers.Running;
        _messages.Enqueue(new Commit());
        if (_failure is not null)
            Move(now, GaveUp);
    }

    // spec: MIG-12
    private void EnterRollingBack()
    {
        _renewAt = Instant.Never;
        if (!_isSessionOver && !_failure!.IsPeersWord)
            _messages.Enqueue(new Abort(_failure.Reason));
        _requests.Enqueue(new SourceRequest(SourceWork.RollBack));
    }

    /// <summary>Something went wrong. What that means depends on whether the commit point may have been passed.</summary>
    // spec: MIG-12, MIG-42
    private void Fail(Instant now, Failure failure)
    {
        if (State is Destroying or RollingBack || SourceTransitions.IsEnd(State))
            return;
        _failure ??= failure;
        if (State is Committed or Giving)
            Move(now, GaveUp);
        else if (State != Committing)
            Move(now, Failed);
    }

    /// <summary>The commit record could not be written, so the target was never told: still before the commit point.</summary>
    private void Abandon(Instant now, Failure failure)
    {
        _failure ??= failure;
        Move(now, Failed);
    }

    private void HandleFailedAttempt(Instant now, Failure failure)
    {
        if (++_attempts < AttemptsMax)
        {
            _retryAt = now + timers.Retry;
            return;
        }

        _warning = failure.Reason;
        Move(now, GaveUp);
    }

    /// <summary>Once more, the record included: that one may be what failed.</summary>
    // spec: MIG-53
    private void Retry()
    {
        _retryAt = Instant.Never;
        _requests.Enqueue(State == Destroying ? new SourceRequest(SourceWork.Destroy, Destroying) : new SourceRequest(SourceWork.RollBack));
    }

    private void Finish()
    {
        (_deadline, _renewAt, _retryAt) = (Instant.Never, Instant.Never, Instant.Never);
        Result = new SourceResult(State, State == Completed ? null : _failure, _warning, _times) { IsLacking = State == InDoubt && _isGiving };
    }

    /// <summary>
    /// A target reads, hashes and writes all memory while it says nothing, and what the source has to send for it may be a few numbers, so that no byte moves either.
    /// </summary>
    // spec: MIG-86
    private TimeSpan TimeToWriteMemory => TimeSpan.FromSeconds(proposal.Container.MemoryBytes / MigrationTimers.SlowestDisk);

    private TimeSpan? StallAllowance(SourceState state) => state switch
    {
        Copying => timers.CopyStall,
        Giving => timers.CopyStall + TimeToWriteMemory,
        Dumping or Shipping => timers.FrozenStall + TimeToWriteMemory,
        _ => null,
    };

    private static string DeadlineReason(SourceState state) => state switch
    {
        Proposing => "The target did not answer the proposal in time.",
        Freezing => "The container could not be stopped in time.",
        Preparing => "The target did not get the container ready in time.",
        Committed => "The target did not say in time whether the container runs.",
        _ => "Nothing moved for too long.",
    };
}
