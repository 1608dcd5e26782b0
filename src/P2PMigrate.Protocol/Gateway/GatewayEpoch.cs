namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// Tells from the seconds that a gateway counts whether it still remembers our mappings: a count that does not fit our own
/// clock began anew. RFC 6887, section 8.5; its bounds are tighter than those of RFC 6886, section 3.6, and serve both.
/// </summary>
// spec: PATH-54
internal sealed class GatewayEpoch
{
    private (Instant At, long Seconds)? _last;

    /// <summary>The gateway says <paramref name="seconds"/>; false when it has forgotten what it knew before.</summary>
    public bool Observe(Instant now, uint seconds)
    {
        bool isValid = _last is not { } last || Fits(now - last.At, last.Seconds, seconds);
        _last = (now, seconds);
        return isValid;
    }

    /// <summary>What was heard before counts no more: another gateway, or another life of it.</summary>
    public void Reset() => _last = null;

    private static bool Fits(TimeSpan elapsed, long before, long after)
    {
        if (after + 1 < before)
            return false;
        double ours = elapsed.TotalSeconds;
        double theirs = after - before;
        return ours + 2 >= theirs - theirs / 16 && theirs + 2 >= ours - ours / 16;
    }
}
