using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>When the rest of a memory begins to follow.</summary>
[Trait("Spec", "MIG-107")]
public sealed class AskingLullTests
{
    [Theory]
    [InlineData(0, 0, 50)]
    [InlineData(300, 0, 350)] // it is asked for the last time then
    [InlineData(990, 0, 1000)]
    [InlineData(5000, 0, 1000)]
    [InlineData(0, 80, 210)]
    [InlineData(300, 80, 510)]
    public async Task It_comes_when_nothing_was_asked_for_a_while_or_that_took_too_long(int askedUntil, int roundTrip, int expected)
    {
        AskingLull? lull = null;
        var time = new HastyTime(passed =>
        {
            if (passed <= askedUntil)
                lull!.NoteQuestion();
        });
        lull = new AskingLull(time, new MigrationTimers(), () => TimeSpan.FromMilliseconds(roundTrip));

        await lull.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal(expected, time.Passed);
    }

    [Fact]
    public async Task Whoever_waits_for_it_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        AskingLull? lull = null;
        var time = new HastyTime(_ =>
        {
            lull!.NoteQuestion();
            stop.Cancel();
        });
        lull = new AskingLull(time, new MigrationTimers { AskingPatience = TimeSpan.FromHours(1) }, () => TimeSpan.Zero);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lull.WaitAsync(stop.Token));
    }

    /// <summary>Time that passes as soon as somebody waits for it; in milliseconds.</summary>
    private sealed class HastyTime(Action<long> passing) : TimeProvider
    {
        private long _passed;

        public long Passed => Interlocked.Read(ref _passed);

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Interlocked.Read(ref _passed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            for (long end = GetTimestamp() + (long)Math.Ceiling(dueTime.TotalMilliseconds); GetTimestamp() < end;)
            {
                Interlocked.Increment(ref _passed);
                passing(Passed);
            }

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
