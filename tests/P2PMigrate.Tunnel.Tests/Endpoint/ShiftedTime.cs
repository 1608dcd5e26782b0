namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>The real monotonic clock, and a wall clock that tests may put forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shiftTicks;

    public void PutForward(TimeSpan by) => Interlocked.Add(ref _shiftTicks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _shiftTicks));
}
