using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Machines;

public sealed class MigrationSourceTests
{
    private readonly MigrationTimers _timers = new();
    private readonly MigrationSource _source;
    private Instant _now = new(1_000_000);

    public MigrationSourceTests()
    {
        _source = new MigrationSource(Proposals.Any, _timers);
        _source.Start(_now);
    }

    [Fact]
    public void It_proposes_and_gives_up_when_nobody_answers()
    {
        Assert.IsType<Propose>(Assert.Single(Messages()));

        PassTime(_timers.Answer);

        Assert.Equal([new SourceRequest(SourceWork.RollBack)], Requests());
        Assert.Contains("did not answer", Assert.IsType<Abort>(Assert.Single(Messages())).Reason, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MIG-23")]
    public void Rounds_end_when_they_are_small_do_not_shrink_or_are_enough()
    {
        Assert.True(RootfsRounds.IsConverged(0, RootfsRounds.SmallRoundBytes, long.MaxValue));
        Assert.False(RootfsRounds.IsConverged(0, RootfsRounds.SmallRoundBytes + 1, long.MaxValue));
        Assert.True(RootfsRounds.IsConverged(1, 100 << 20, 100 << 20));
        Assert.True(RootfsRounds.IsConverged(RootfsRounds.LiveRoundsMax - 1, 50 << 20, 100 << 20));
    }

    [Fact]
    public void A_large_round_is_followed_by_another()
    {
        _source.HandleMessage(_now, new Accept());
        Assert.Equal([new SourceRequest(SourceWork.CopyRound, SourceState.Copying)], Requests());

        _source.HandleDone(_now, SourceWork.CopyRound, 1L << 30);

        Assert.Equal([new SourceRequest(SourceWork.CopyRound, null, 1)], Requests());
        _source.HandleDone(_now, SourceWork.CopyRound, 100);
        Assert.Equal([new SourceRequest(SourceWork.Freeze, SourceState.Freezing)], Requests());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Spec", "MIG-86")]
    public void A_target_may_take_as_long_as_a_slow_disk_needs_for_all_memory(bool isPreparing)
    {
        var source = new MigrationSource(Proposals.Any with { Container = Proposals.Any.Container with { MemoryBytes = 64L << 30 } }, _timers);
        source.Start(_now);
        source.HandleMessage(_now, new Accept());
        source.HandleDone(_now, SourceWork.CopyRound);
        source.HandleDone(_now, SourceWork.Freeze);
        if (isPreparing)
        {
            source.HandleDone(_now, SourceWork.Dump);
            source.HandleDone(_now, SourceWork.Ship);
        }

        TimeSpan writing = TimeSpan.FromSeconds(4096);
        source.HandleTimeout(_now + writing + TimeSpan.FromSeconds(50));
        Assert.Equal(isPreparing ? SourceState.Preparing : SourceState.Dumping, source.State);
        source.HandleTimeout(_now + writing + TimeSpan.FromSeconds(121));
        Assert.Equal(SourceState.RollingBack, source.State);
    }

    [Fact]
    public void Content_that_flows_keeps_the_stall_deadline_away()
    {
        _source.HandleMessage(_now, new Accept());
        for (int step = 0; step < 10; step++)
        {
            _now += _timers.CopyStall / 2;
            _source.HandleTimeout(_now);
            _source.HandleProgress(_now);
        }

        Assert.Equal(SourceState.Copying, _source.State);
        PassTime(_timers.CopyStall);
        Assert.Equal(SourceState.RollingBack, _source.State);
    }

    [Fact]
    [Trait("Spec", "MIG-40")]
    public void It_commits_on_the_answer_to_a_fresh_lease_request_and_not_on_a_stale_one()
    {
        GoTo(SourceState.Preparing);
        Requests();
        Messages();
        PassTime(_timers.CommitLease + TimeSpan.FromMilliseconds(1));

        _source.HandleMessage(_now, new Prepared(0, default));

        Assert.Equal(SourceState.Preparing, _source.State);
        ulong fresh = Messages().OfType<LeaseRequest>().Last().Number;
        _source.HandleMessage(_now, new StillPrepared(fresh + 100));
        Assert.Equal(SourceState.Preparing, _source.State);
        _source.HandleMessage(_now, new StillPrepared(fresh));
        Assert.Equal([new SourceRequest(SourceWork.Commit, SourceState.Committed)], Requests());
    }

    [Fact]
    [Trait("Spec", "MIG-47")]
    public void An_old_answer_is_not_committed_to_and_the_next_one_decides()
    {
        GoTo(SourceState.Preparing);
        Requests();
        PassTime(_timers.FreshAnswer + TimeSpan.FromMilliseconds(1));
        ulong next = Messages().OfType<LeaseRequest>().Last().Number;

        _source.HandleMessage(_now, new Prepared(0, default));

        Assert.Equal(SourceState.Preparing, _source.State);
        _source.HandleMessage(_now, new StillPrepared(next));
        Assert.Equal(SourceState.Committing, _source.State);
    }

    [Fact]
    [Trait("Spec", "MIG-47")]
    public void Several_old_answers_are_not_committed_to_either_as_a_source_finds_them_that_was_stopped()
    {
        GoTo(SourceState.Preparing);
        PassTime(_timers.LeaseRenewal);
        ulong second = Messages().OfType<LeaseRequest>().Last().Number;
        _now += TimeSpan.FromMilliseconds(700);

        _source.HandleMessage(_now, new Prepared(0, default));
        _source.HandleMessage(_now, new StillPrepared(second));

        Assert.Equal(SourceState.Preparing, _source.State);
        PassTime(_timers.LeaseRenewal);
        _source.HandleMessage(_now, new StillPrepared(Messages().OfType<LeaseRequest>().Last().Number));
        Assert.Equal(SourceState.Committing, _source.State);
    }

    [Fact]
    [Trait("Spec", "MIG-47")]
    public void On_a_path_known_to_be_slow_the_first_answer_is_enough()
    {
        GoTo(SourceState.Preparing);
        _source.RoundTrip = TimeSpan.FromMilliseconds(600);
        PassTime(TimeSpan.FromMilliseconds(700));

        _source.HandleMessage(_now, new Prepared(0, default));

        Assert.Equal(SourceState.Committing, _source.State);
    }

    [Fact]
    [Trait("Spec", "MIG-41")]
    public void It_says_commit_only_when_the_record_is_on_the_disk()
    {
        GoTo(SourceState.Committing);
        Assert.DoesNotContain(Messages(), message => message is Commit);

        _source.HandleDone(_now, SourceWork.Commit);

        Assert.Contains(Messages(), message => message is Commit);
    }

    [Fact]
    [Trait("Spec", "MIG-40")]
    public void While_the_record_is_being_written_the_promise_is_renewed()
    {
        GoTo(SourceState.Committing);
        Messages();

        PassTime(_timers.LeaseRenewal);

        Assert.IsType<LeaseRequest>(Assert.Single(Messages()));
    }

    public static TheoryData<string> Blows => ["abort", "session", "cancel", "garbage", "fault", "deadline"];

    [Theory]
    [MemberData(nameof(Blows))]
    [Trait("Spec", "MIG-42")]
    public void After_the_commit_point_nothing_makes_it_thaw(string blow)
    {
        GoTo(SourceState.Committed);
        Requests();

        Strike(blow);

        Assert.DoesNotContain(Requests(), request => request.Work == SourceWork.RollBack);
        Assert.Equal(blow == "cancel" ? SourceState.Committed : SourceState.InDoubt, _source.State);
    }

    [Theory]
    [MemberData(nameof(Blows))]
    [Trait("Spec", "MIG-42")]
    public void A_blow_while_the_record_is_being_written_waits_for_it(string blow)
    {
        GoTo(SourceState.Committing);
        Requests();

        Strike(blow == "deadline" ? "session" : blow);

        Assert.Equal(SourceState.Committing, _source.State);
        _source.HandleDone(_now, SourceWork.Commit);
        Assert.Equal(blow == "cancel" ? SourceState.Committed : SourceState.InDoubt, _source.State);
        Assert.DoesNotContain(Requests(), request => request.Work == SourceWork.RollBack);
    }

    [Theory]
    [MemberData(nameof(Blows))]
    [Trait("Spec", "MIG-12")]
    public void Before_it_any_blow_rolls_back_once_and_the_first_reason_wins(string blow)
    {
        foreach (SourceState state in new[] { SourceState.Copying, SourceState.Dumping, SourceState.Shipping, SourceState.Preparing })
        {
            var test = new MigrationSourceTests();
            test.GoTo(state);
            test.Requests();

            test.Strike(blow);
            test._source.HandleSessionEnd(test._now, "a later reason");

            Assert.Equal([new SourceRequest(SourceWork.RollBack)], test.Requests());
            test._source.HandleDone(test._now, SourceWork.RollBack);
            Assert.Equal(SourceState.RolledBack, test._source.Result!.End);
            Assert.DoesNotContain("a later reason", test._source.Result.Failure!.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_record_that_cannot_be_written_is_before_the_commit_point()
    {
        GoTo(SourceState.Committing);
        Requests();

        _source.HandleFailed(_now, SourceWork.Commit, new Failure(FailureKind.Other, "disk"));

        Assert.Equal([new SourceRequest(SourceWork.RollBack)], Requests());
        Assert.DoesNotContain(Messages(), message => message is Commit);
    }

    [Fact]
    [Trait("Spec", "MIG-53")]
    public void A_destroy_is_tried_again_with_its_record()
    {
        GoTo(SourceState.Destroying);
        Requests();

        _source.HandleFailed(_now, SourceWork.Destroy, new Failure(FailureKind.Other, "the disk refuses the record"));
        PassTime(_timers.Retry);

        Assert.Equal([new SourceRequest(SourceWork.Destroy, SourceState.Destroying)], Requests());
    }

    [Fact]
    public void A_thaw_that_fails_is_tried_again_before_it_is_left_to_a_person()
    {
        GoTo(SourceState.Dumping);
        Strike("abort");
        for (int attempt = 1; attempt < MigrationSource.AttemptsMax; attempt++)
        {
            Requests();
            _source.HandleFailed(_now, SourceWork.RollBack, new Failure(FailureKind.Other, "cgroup"));
            PassTime(_timers.Retry);
            Assert.Equal([new SourceRequest(SourceWork.RollBack)], Requests());
        }

        _source.HandleFailed(_now, SourceWork.RollBack, new Failure(FailureKind.Other, "cgroup"));
        Assert.Equal(SourceState.InDoubt, _source.Result!.End);
        Assert.Equal("cgroup", _source.Result.Warning);
    }

    private void Strike(string blow)
    {
        switch (blow)
        {
            case "abort":
                _source.HandleMessage(_now, new Abort("target is ill"));
                break;
            case "session":
                _source.HandleSessionEnd(_now, "lost");
                break;
            case "cancel":
                _source.Cancel(_now);
                break;
            case "garbage":
                _source.HandleMessage(_now, new Accept());
                break;
            case "fault":
                _source.HandleFault(_now, "no message");
                break;
            default:
                PassTime(TimeSpan.FromHours(1));
                break;
        }
    }

    private void GoTo(SourceState state)
    {
        (SourceState Reached, Action Step)[] way =
        [
            (SourceState.Copying, () => _source.HandleMessage(_now, new Accept())),
            (SourceState.Freezing, () => _source.HandleDone(_now, SourceWork.CopyRound)),
            (SourceState.Dumping, () => _source.HandleDone(_now, SourceWork.Freeze)),
            (SourceState.Shipping, () => _source.HandleDone(_now, SourceWork.Dump)),
            (SourceState.Preparing, () => _source.HandleDone(_now, SourceWork.Ship)),
            (SourceState.Committing, () => _source.HandleMessage(_now, new Prepared(0, default))),
            (SourceState.Committed, () => _source.HandleDone(_now, SourceWork.Commit)),
            (SourceState.Destroying, () => _source.HandleMessage(_now, new Running(TimeSpan.Zero))),
        ];
        foreach ((SourceState reached, Action step) in way)
        {
            step();
            Assert.Equal(reached, _source.State);
            if (reached == state)
                return;
        }
    }

    private void PassTime(TimeSpan span)
    {
        Instant end = _now + span;
        while (_source.NextTimeout <= end)
        {
            _now = Instant.Max(_now, _source.NextTimeout);
            _source.HandleTimeout(_now);
        }

        _now = end;
    }

    private List<ControlMessage> Messages()
    {
        List<ControlMessage> messages = [];
        while (_source.TryPollMessage(out ControlMessage? message))
            messages.Add(message);
        return messages;
    }

    private List<SourceRequest> Requests()
    {
        List<SourceRequest> requests = [];
        while (_source.TryPollRequest(out SourceRequest request))
            requests.Add(request);
        return requests;
    }
}
