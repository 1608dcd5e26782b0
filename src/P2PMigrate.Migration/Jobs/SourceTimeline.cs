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

    /// <summary>From <paramref name="stoppedAt"/>, when the container began to be stopped, until the target was heard running.</summary>
    // spec: MIG-60
    public TimeSpan Downtime(long? stoppedAt) => Until(Heard, stoppedAt ?? At(SourceState.Freezing));

    /// <summary>How the bytes travelled last, as long as they did; the relay when it was never told, for direct is a claim.</summary>
    public PathKind Path { get; private set; } = PathKind.Relay;

    /// <summary>The machine is in <paramref name="state"/> now; only the first time counts. <paramref name="path"/> is null once the session has ended.</summary>
    public void Enter(SourceState state, PathSummary? path)
    {
        _entered.TryAdd(state, time.GetTimestamp());
        Path = path?.Kind ?? Path;
    }

    /// <summary>Where the downtime went; the target's part is as it told. The parts add up to the whole.</summary>
    // spec: MIG-70
    public DowntimeBreakdown Breakdown(long? stoppedAt, TargetTimes target)
    {
        TimeSpan shipping = Between(SourceState.Shipping, SourceState.Preparing);
        TimeSpan apply = Within(target.Prepare.Apply, shipping);
        TimeSpan preparing = Between(SourceState.Preparing, SourceState.Committing);
        TimeSpan verify = Within(target.Prepare.Verify, preparing);
        TimeSpan restore = Within(target.Prepare.Restore, preparing - verify);
        var parts = new DowntimeBreakdown
        {
            Freeze = Until(SourceState.Dumping, stoppedAt ?? At(SourceState.Freezing)),
            Dump = Between(SourceState.Dumping, SourceState.Shipping),
            Transfer = shipping - apply,
            Apply = apply,
            Verify = verify,
            Restore = restore,
            Flush = Within(target.Prepare.Flush, preparing - verify - restore),
            Commit = Between(SourceState.Committing, SourceState.Committed),
            Release = Within(target.Release, Between(SourceState.Committed, Heard)),
        };
        return parts with { Other = Downtime(stoppedAt) - parts.Sum };
    }

    /// <summary>What comes when the target was heard running.</summary>
    private SourceState Heard => _entered.ContainsKey(SourceState.Giving) ? SourceState.Giving : SourceState.Destroying;

    private static TimeSpan Within(TimeSpan told, TimeSpan seen) => told < seen ? told : seen;

    private long? At(SourceState state) => _entered.TryGetValue(state, out long entered) ? entered : null;

    private TimeSpan Until(SourceState state, long? start) =>
        start is { } from ? time.GetElapsedTime(from, At(state) ?? time.GetTimestamp()) : TimeSpan.Zero;

    private TimeSpan Between(SourceState from, SourceState? to)
    {
        if (At(from) is not { } start)
            return TimeSpan.Zero;
        return time.GetElapsedTime(start, (to is { } state ? At(state) : null) ?? time.GetTimestamp());
    }
}
