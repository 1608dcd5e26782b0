using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Network;

namespace P2PMigrate.Tunnel.Tests.Network;

public sealed class PaceTests
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100), s_then = TimeSpan.FromSeconds(1);

    private readonly Pace _pace = new(s_first, s_then);
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void The_first_question_is_answered_at_once_and_nobody_has_to_wait_for_none()
    {
        Assert.Equal(Instant.Never, _pace.NextTimeout);
        Assert.False(_pace.TryTake(_now));
        _pace.Ask();
        Assert.True(_pace.NextTimeout <= _now);
        Assert.True(_pace.TryTake(_now));
        Assert.Equal(Instant.Never, _pace.NextTimeout);
    }

    // spec: CONST-68
    [Fact]
    public void Questions_without_end_get_two_quick_answers_and_then_one_each_second()
    {
        Assert.Equal(2 + 10, AnswersWithin(TimeSpan.FromSeconds(10.5)));
    }

    [Fact]
    public void The_last_question_is_answered_although_nothing_follows()
    {
        AnswersWithin(TimeSpan.FromSeconds(5));
        _pace.Ask();
        _now = _pace.NextTimeout;
        Assert.True(_pace.TryTake(_now));
        Assert.Equal(Instant.Never, _pace.NextTimeout);
    }

    [Fact]
    public void After_a_time_of_quiet_answers_are_quick_again()
    {
        AnswersWithin(TimeSpan.FromSeconds(5));
        _now += s_then * 4;
        Assert.Equal(2, AnswersWithin(TimeSpan.FromMilliseconds(500)));
    }

    private int AnswersWithin(TimeSpan time)
    {
        int answers = 0;
        for (Instant end = _now + time; _now < end; _now += TimeSpan.FromMilliseconds(10))
        {
            _pace.Ask();
            answers += _pace.TryTake(_now) ? 1 : 0;
        }

        return answers;
    }
}
