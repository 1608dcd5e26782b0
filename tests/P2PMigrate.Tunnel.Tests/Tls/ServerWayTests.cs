using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Endpoint;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>When TLS is tried, and when it is left again.</summary>
[Trait("Spec", "RLY-14")]
public sealed class ServerWayTests
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(10);

    private readonly ServerWay _way = new();
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void A_server_that_answers_by_UDP_in_time_is_not_asked_by_TLS()
    {
        _way.HandleRequest(_now);
        Pass(140);
        Assert.True(_way.HandleAnswer(_now, byStream: false));
        Pass(10_000);
        Assert.Equal(ServerWayKind.Udp, _way.Current);
    }

    [Fact]
    public void After_150_ms_of_silence_a_connection_is_wanted_once()
    {
        _way.HandleRequest(_now);
        Pass(140);
        _now += s_step;
        Assert.Equal(_now, _way.NextTimeout(hasStreams: true));
        Assert.Equal(Instant.Never, _way.NextTimeout(hasStreams: false));
        Assert.True(_way.TakeOpenWish(_now));
        Pass(10_000);
    }

    [Fact]
    public void The_connection_takes_over_only_when_the_server_answers_on_it()
    {
        OpenInSilence();
        Assert.Equal(ServerWayKind.None, _way.Current);
        Assert.True(_way.HandleAnswer(_now, byStream: true));
        Assert.Equal(ServerWayKind.Stream, _way.Current);
    }

    [Fact]
    [Trait("Spec", "RLY-15")]
    public void While_TLS_carries_UDP_is_asked_again_less_and_less_often_and_taken_back_when_it_answers()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: true);
        var pauses = new List<TimeSpan>();
        for (Instant last = _now; pauses.Count < 7; _now += s_step)
        {
            if (!_way.TakeProbeWish(_now))
                continue;
            pauses.Add(_now - last);
            last = _now;
        }

        Assert.Equal([1.0, 2, 4, 8, 15, 15, 15], pauses.Select(pause => Math.Round(pause.TotalSeconds)));
        Assert.False(_way.HandleAnswer(_now, byStream: false)); // A stray answer to a question of before.
        Assert.True(_way.HandleProbeAnswered(_now));
        Assert.Equal(ServerWayKind.Udp, _way.Current);
        Assert.True(_way.IsStreamOpen);
        Assert.False(_way.TakeCloseWish(_now));
        _now += ServerWay.Linger;
        Assert.True(_way.TakeCloseWish(_now));
        Assert.False(_way.TakeCloseWish(_now));
    }

    [Fact]
    public void When_UDP_goes_silent_again_the_connection_that_still_stands_is_used()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: true);
        _way.HandleProbeAnswered(_now);
        _way.HandleRequest(_now);
        Assert.False(_way.HandleAnswer(_now, byStream: true)); // Not late yet.
        _now += ServerWay.LongestHeadStart;
        Assert.True(_way.IsLate(_now));
        Assert.True(_way.HandleAnswer(_now, byStream: true));
    }

    [Fact]
    public void A_port_that_is_closed_is_tried_less_and_less_often()
    {
        _way.HandleRequest(_now);
        int tries = 0;
        for (Instant end = _now + TimeSpan.FromSeconds(120); _now < end; _now += s_step)
        {
            if (!_way.TakeOpenWish(_now))
                continue;
            tries++;
            _way.HandleOpened(_now, isOpen: false);
        }

        Assert.InRange(tries, 7, 9);
    }

    [Fact]
    public void A_connection_that_ends_while_it_carries_is_replaced_at_once()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: true);
        _way.HandleEnded(_now);
        Assert.Equal(ServerWayKind.None, _way.Current);
        Assert.True(_way.TakeOpenWish(_now));
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public void A_connection_by_which_no_answer_comes_is_dropped_and_another_one_made_at_once()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: true);
        _now += TimeSpan.FromHours(1);
        Assert.False(_way.TakeDropWish(_now, TimeSpan.FromHours(1))); // Nobody asked.
        _way.HandleRequest(_now);
        Instant asked = _now;
        _way.HandleSilence(_now += TimeSpan.FromSeconds(1));
        _way.HandleNetworkChange(_now);
        Assert.False(_way.TakeDropWish(_now, TimeSpan.FromHours(1)));
        Assert.True(_way.NextTimeout(hasStreams: true) <= asked + ServerWay.StreamPatience);

        _now = asked + ServerWay.StreamPatience;
        Assert.True(_way.TakeDropWish(_now, TimeSpan.FromHours(1)));
        Assert.False(_way.TakeDropWish(_now, TimeSpan.FromHours(1)));
        _way.HandleEnded(_now);
        Assert.True(_way.TakeOpenWish(_now));
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public void A_connection_that_answers_or_brings_frames_is_not_dropped()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: true);
        _way.HandleRequest(_now);
        _way.HandleAnswer(_now, byStream: true);
        _now += ServerWay.StreamPatience;
        Assert.False(_way.TakeDropWish(_now, ServerWay.StreamPatience));

        _way.HandleRequest(_now);
        _now += ServerWay.StreamPatience;
        Assert.False(_way.TakeDropWish(_now, TimeSpan.FromSeconds(1)));
        _now += ServerWay.StreamPatience - TimeSpan.FromSeconds(1);
        Assert.True(_way.TakeDropWish(_now, ServerWay.StreamPatience));
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public void A_connection_that_is_not_needed_because_UDP_answered_is_not_dropped()
    {
        OpenInSilence();
        _way.HandleRequest(_now);
        _way.HandleAnswer(_now, byStream: false);
        _now += ServerWay.StreamPatience;
        Assert.False(_way.TakeDropWish(_now, TimeSpan.FromHours(1)));
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public void A_service_that_is_no_rendezvous_and_ends_every_connection_is_tried_less_and_less_often()
    {
        _way.HandleRequest(_now);
        int tries = 0;
        for (Instant end = _now + TimeSpan.FromSeconds(120); _now < end; _now += s_step)
        {
            if (!_way.TakeOpenWish(_now))
                continue;
            tries++;
            _way.HandleOpened(_now, isOpen: true);
            _way.HandleRequest(_now);
            _way.HandleEnded(_now);
        }

        Assert.InRange(tries, 7, 9);
    }

    [Fact]
    [Trait("Spec", "RLY-15")]
    public void A_connection_that_we_end_because_UDP_works_is_made_again_at_once_when_it_is_needed()
    {
        OpenInSilence();
        _way.HandleAnswer(_now, byStream: false);
        _now += ServerWay.Linger;
        Assert.True(_way.TakeCloseWish(_now));
        _way.HandleEnded(_now);
        _way.HandleRequest(_now);
        _now += ServerWay.LongestHeadStart;
        Assert.True(_way.TakeOpenWish(_now));
    }

    private void OpenInSilence()
    {
        _way.HandleRequest(_now);
        _now += ServerWay.HeadStart;
        Assert.True(_way.TakeOpenWish(_now));
        _way.HandleOpened(_now, isOpen: true);
    }

    private void Pass(int milliseconds)
    {
        for (Instant end = _now + TimeSpan.FromMilliseconds(milliseconds); _now < end; _now += s_step)
            Assert.False(_way.TakeOpenWish(_now) || _way.TakeProbeWish(_now) || _way.TakeCloseWish(_now));
    }
}
