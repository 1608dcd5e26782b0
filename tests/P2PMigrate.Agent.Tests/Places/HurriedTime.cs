namespace P2PMigrate.Agent.Tests.Places;

/// <summary>Time in which every pause is over at once, on a clock that is off by <paramref name="offset"/>.</summary>
internal sealed class HurriedTime(TimeSpan offset = default) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
}
