using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>What may wait in front of a connection.</summary>
[Trait("Spec", "RLY-12")]
public sealed class SendBacklogTests
{
    private readonly SendBacklog _backlog = new();

    [Fact]
    public void A_stream_that_takes_everything_at_once_never_lacks_room()
    {
        for (int i = 0; i < 10_000; i++)
        {
            TimeSpan now = TimeSpan.FromMilliseconds(i);
            Assert.True(_backlog.HasRoom(now, 1000));
            _backlog.Add(now, 1000);
            _backlog.Remove(1000);
        }

        Assert.Equal(0, _backlog.Bytes);
    }

    [Fact]
    public void Behind_what_waits_longer_than_a_quarter_second_nothing_is_added()
    {
        _backlog.Add(TimeSpan.Zero, 1000);
        Assert.True(_backlog.HasRoom(TimeSpan.FromMilliseconds(250), 1000));
        _backlog.Add(TimeSpan.FromMilliseconds(250), 1000);
        Assert.False(_backlog.HasRoom(TimeSpan.FromMilliseconds(251), 1000));
        _backlog.Remove(1000);
        Assert.True(_backlog.HasRoom(TimeSpan.FromMilliseconds(251), 1000));
    }

    [Fact]
    public void A_slow_stream_holds_what_it_carries_in_a_quarter_second()
    {
        long waiting = 0;
        for (int ms = 0; ms < 10_000; ms++)
        {
            TimeSpan now = TimeSpan.FromMilliseconds(ms);
            while (_backlog.HasRoom(now, 1000))
            {
                _backlog.Add(now, 1000);
                if (_backlog.Bytes > SendBacklog.MaxBytes - 1000)
                    break;
            }

            _backlog.Remove(Math.Min(_backlog.Bytes, 100)); // 100 kB/s
            waiting = ms < 9_000 ? 0 : Math.Max(waiting, _backlog.Bytes);
        }

        Assert.InRange(waiting, 1, SendBacklog.MaxBytes);
    }

    [Fact]
    public void However_fast_the_stream_was_there_is_a_limit()
    {
        Assert.True(_backlog.HasRoom(TimeSpan.Zero, SendBacklog.MaxBytes));
        Assert.False(_backlog.HasRoom(TimeSpan.Zero, SendBacklog.MaxBytes + 1));
    }
}
