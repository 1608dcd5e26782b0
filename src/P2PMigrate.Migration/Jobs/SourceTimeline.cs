using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>When the source entered each state, and what the downtime was made of. One owner: the machine's loop.</summary>
internal sealed class SourceTimeline(TimeProvider time)
{
    private readonly Dictionary<SourceState, long> _entered = [];

    /// <summary>Since the job began.</summary>
    public TimeSpan Total => Between(SourceState.Proposing, null);

    /// <summary>From the start of the freeze until the target was heard running.</summary>
    // spec: MIG-60
    public TimeSpan Downtime => Between(SourceState.Freezing, SourceState.Destroying);

    /// <summary>How the bytes travelled last, as long as they did; the relay when it was never told, for direct is a claim.</summary>
    public PathKind Path { get; private set; } = PathKind.Relay;

    /// <summary>The machine is in <paramref name="state"/> now; only the first time counts. <paramref name="path"/> is null once the session has ended.</summary>
    public void Enter(SourceState state, PathSummary? path)
    {
        _entered.TryAdd(state, time.GetTimestamp());
        Path = path?.Kind ?? Path;
    }

    /// <summary>Where the downtime went; the target's part is as it told.</summary>
    public DowntimeBreakdown Breakdown(PrepareTimes target)
    {
        TimeSpan shipping = Between(SourceState.Shipping, SourceState.Preparing);
        TimeSpan apply = target.Apply < shipping ? target.Apply : shipping;
        return new DowntimeBreakdown(
            Between(SourceState.Freezing, SourceState.Dumping),
            Between(SourceState.Dumping, SourceState.Shipping),
            shipping - apply,
            apply,
            target.Verify,
            target.Restore,
            Between(SourceState.Committing, SourceState.Destroying));
    }

    private TimeSpan Between(SourceState from, SourceState? to)
    {
        if (!_entered.TryGetValue(from, out long start))
            return TimeSpan.Zero;
        long end = to is { } state && _entered.TryGetValue(state, out long entered) ? entered : time.GetTimestamp();
        return time.GetElapsedTime(start, end);
    }
}
