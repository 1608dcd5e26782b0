using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>When the rest of a memory begins to follow.</summary>
[Trait("Spec", "MIG-107")]
public sealed class AskingLullTests
{
    [Theory]
    [InlineData(0, 50, 50)]
    [InlineData(300, 300, 400)] // it is asked for the last time before that
    [InlineData(990, 990, 1050)]
    [InlineData(5000, 1000, 1050)]
    public async Task It_comes_when_nothing_was_asked_for_a_while_or_that_took_too_long(int askedUntil, int least, int most)
    {
        AskingLull? lull = null;
        var time = new HastyTime(passed =>
        {
            if (passed < askedUntil)
                lull!.Interrupt();
        });
        lull = new AskingLull(time);

        await lull.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.InRange(time.Passed, least, most);
    }

    [Fact]
    public async Task Whoever_waits_for_it_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        AskingLull? lull = null;
        lull = new AskingLull(new HastyTime(_ => stop.Cancel()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lull.WaitAsync(stop.Token));
    }

    /// <summary>Time that passes as soon as somebody waits for it; in milliseconds.</summary>
    private sealed class HastyTime(Action<long> passing) : TimeProvider
    {
        private long _passed = 1_000_000;

        public long Passed => Interlocked.Read(ref _passed) - 1_000_000;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Interlocked.Read(ref _passed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Add(ref _passed, (long)Math.Ceiling(dueTime.TotalMilliseconds));
            passing(Passed);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
            return new Rung();
        }

        private sealed class Rung : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
