using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Machines;

public sealed class MigrationTargetTests
{
    private readonly MigrationTimers _timers = new();
    private readonly MigrationTarget _target;
    private Instant _now = new(1_000_000);

    public MigrationTargetTests()
    {
        _target = new MigrationTarget(_timers);
        _target.Start(_now);
    }

    [Fact]
    public void A_session_without_a_proposal_ends_in_time()
    {
        PassTime(_timers.Proposal);
        Assert.Equal(TargetState.Unused, _target.Result!.End);
    }

    [Fact]
    [Trait("Spec", "MIG-07")]
    public void The_ticket_is_asked_for_only_after_the_checks()
    {
        _target.HandleMessage(_now, Proposals.Any);
        Assert.Equal([new TargetRequest(TargetWork.Check)], Requests());
        _target.HandleDone(_now, TargetWork.Check);
        Assert.Equal([new TargetRequest(TargetWork.Admit)], Requests());
        Assert.Empty(Messages());
        _target.HandleDone(_now, TargetWork.Admit);
        Assert.IsType<Accept>(Assert.Single(Messages()));
    }

    [Fact]
    [Trait("Spec", "MIG-25")]
    public void It_restores_only_what_is_complete()
    {
        GoTo(TargetState.Receiving);
        _target.HandleStored(_now, StoredContent.FinalRound | StoredContent.Memory);

        _target.HandleMessage(_now, new Prepare());

        Assert.Equal(TargetState.CleaningUp, _target.State);
        Assert.Contains("FinalRound, Memory", Assert.IsType<Abort>(Messages()[^1]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MIG-11")]
    public void A_commit_before_it_holds_is_a_breach()
    {
        GoTo(TargetState.Restoring);

        _target.HandleMessage(_now, new Commit());

        Assert.Equal(TargetState.CleaningUp, _target.State);
        Assert.DoesNotContain(Requests(), request => request.Work == TargetWork.Release);
    }

    [Fact]
    public void Prepared_names_the_last_lease_request_that_was_heard_and_requests_are_answered_from_then_on()
    {
        GoTo(TargetState.Restoring);
        _target.HandleMessage(_now, new LeaseRequest(1));
        _target.HandleMessage(_now, new LeaseRequest(2));
        Messages();

        _target.HandleRestored(_now, default);
        _target.HandleMessage(_now, new LeaseRequest(3));

        Assert.Equal([2ul, 3ul], Messages().Select(message => message is Prepared prepared ? prepared.Lease : ((StillPrepared)message).Lease));
    }

    [Fact]
    [Trait("Spec", "MIG-45")]
    public void A_promise_is_kept_when_the_session_ends_and_ends_with_the_lease()
    {
        GoTo(TargetState.Holding);
        PassTime(_timers.HoldLease / 2);
        _target.HandleMessage(_now, new LeaseRequest(9));

        _target.HandleSessionEnd(_now, "lost");

        PassTime(_timers.HoldLease - TimeSpan.FromMilliseconds(1));
        Assert.Equal(TargetState.Holding, _target.State);
        PassTime(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TargetState.CleaningUp, _target.State);
    }

    [Fact]
    [Trait("Spec", "MIG-45")]
    public void An_interrupted_target_answers_no_more_but_still_hears_a_commit()
    {
        GoTo(TargetState.Holding);
        Messages();

        _target.Cancel(_now);
        PassTime(_timers.HoldLease / 2);
        _target.HandleMessage(_now, new LeaseRequest(5));

        Assert.Empty(Messages());
        _target.HandleMessage(_now, new Commit());
        Assert.Contains(new TargetRequest(TargetWork.Release, TargetState.Releasing), Requests());
    }

    [Fact]
    [Trait("Spec", "MIG-45")]
    public void The_sources_own_word_ends_the_hold_at_once()
    {
        GoTo(TargetState.Holding);
        Requests();

        _target.HandleMessage(_now, new Abort("rolled back"));

        Assert.Equal([new TargetRequest(TargetWork.CleanUp)], Requests());
    }

    [Fact]
    [Trait("Spec", "MIG-44")]
    public void After_the_commit_nothing_turns_it_back()
    {
        GoTo(TargetState.Holding);
        _target.HandleMessage(_now, new Commit());
        _target.HandleSessionEnd(_now, "lost");
        _target.Cancel(_now);
        _target.HandleMessage(_now, new Abort("too late"));

        _target.HandleDone(_now, TargetWork.Release);
        _target.HandleDone(_now, TargetWork.Forget);

        Assert.Equal(TargetState.Completed, _target.Result!.End);
    }

    [Fact]
    [Trait("Spec", "MIG-13")]
    public void An_interruption_that_came_too_late_is_not_why_a_release_failed()
    {
        GoTo(TargetState.Holding);
        _target.Cancel(_now);
        _target.HandleMessage(_now, new Commit());

        _target.HandleFailed(_now, TargetWork.Release, new Failure(FailureKind.Other, "the disk is gone"));

        _target.HandleDone(_now, TargetWork.CleanUp);
        Assert.Equal("the disk is gone", _target.Result!.Failure!.Reason);
    }

    [Fact]
    [Trait("Spec", "MIG-152")]
    public void It_has_arrived_before_the_source_has_said_its_last_word()
    {
        GoTo(TargetState.Holding);
        _target.HandleMessage(_now, new Commit());
        _target.HandleDone(_now, TargetWork.Release);
        Assert.False(_target.HasArrived);

        _target.HandleDone(_now, TargetWork.Forget);

        Assert.True(_target.HasArrived);
        Assert.Null(_target.Result);
    }

    [Fact]
    public void It_waits_a_little_for_the_sources_last_word()
    {
        GoTo(TargetState.Holding);
        _target.HandleMessage(_now, new Commit());
        _target.HandleDone(_now, TargetWork.Release);
        Assert.Contains(Messages(), message => message is Running);
        _target.HandleDone(_now, TargetWork.Forget);
        Assert.Null(_target.Result);

        PassTime(_timers.Linger);

        Assert.Equal(TargetState.Completed, _target.Result!.End);
    }

    [Fact]
    [Trait("Spec", "MIG-59")]
    public void A_release_that_fails_is_told_and_what_has_not_run_is_removed()
    {
        GoTo(TargetState.Holding);
        _target.HandleMessage(_now, new Commit());
        Messages();

        _target.HandleFailed(_now, TargetWork.Release, new Failure(FailureKind.Other, "criu died"));

        Assert.Equal("criu died", Assert.IsType<Abort>(Assert.Single(Messages())).Reason);
        Assert.Equal(TargetState.CleaningUp, _target.State);
        _target.HandleDone(_now, TargetWork.CleanUp);
        Assert.Equal((TargetState.Aborted, true), (_target.Result!.End, _target.Result.HadCommitted));
    }

    private void GoTo(TargetState state)
    {
        (TargetState Reached, Action Step)[] way =
        [
            (TargetState.Checking, () => _target.HandleMessage(_now, Proposals.Any)),
            (TargetState.Admitting, () => _target.HandleDone(_now, TargetWork.Check)),
            (TargetState.Receiving, () => _target.HandleDone(_now, TargetWork.Admit)),
            (TargetState.Restoring, Prepare),
            (TargetState.Holding, () => _target.HandleRestored(_now, default)),
        ];
        foreach ((TargetState reached, Action step) in way)
        {
            step();
            Assert.Equal(reached, _target.State);
            if (reached == state)
                return;
        }
    }

    private void Prepare()
    {
        _target.HandleStored(_now, StoredContent.Everything);
        _target.HandleMessage(_now, new Prepare());
    }

    private void PassTime(TimeSpan span)
    {
        Instant end = _now + span;
        while (_target.NextTimeout <= end)
        {
            _now = Instant.Max(_now, _target.NextTimeout);
            _target.HandleTimeout(_now);
        }

        _now = end;
    }

    private List<ControlMessage> Messages()
    {
        List<ControlMessage> messages = [];
        while (_target.TryPollMessage(out ControlMessage? message))
            messages.Add(message);
        return messages;
    }

    private List<TargetRequest> Requests()
    {
        List<TargetRequest> requests = [];
        while (_target.TryPollRequest(out TargetRequest request))
            requests.Add(request);
        return requests;
    }
}
