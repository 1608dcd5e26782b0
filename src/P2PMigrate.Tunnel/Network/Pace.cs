using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Answers to something that may be asked for without end: the first at once, what is asked for soon after it together, once
/// <paramref name="first"/> has passed, and as long as more keeps coming, one answer every <paramref name="then"/>. The last
/// question always gets an answer. One owner.
/// </summary>
internal sealed class Pace(TimeSpan first, TimeSpan then)
{
    private Instant? _answeredAt;
    private Instant _quietUntil;
    private bool _isAsked;

    /// <summary>When <see cref="TryTake"/> has something to give.</summary>
    public Instant NextTimeout => _isAsked ? _quietUntil : Instant.Never;

    /// <summary>An answer is wanted.</summary>
    public void Ask() => _isAsked = true;

    /// <summary>Is it time to answer? Whoever hears yes answers.</summary>
    public bool TryTake(Instant now)
    {
        if (!_isAsked || now < _quietUntil)
            return false;
        bool isGoingOn = _answeredAt is { } before && now - before <= then * 2;
        _isAsked = false;
        _answeredAt = now;
        _quietUntil = now + (isGoingOn ? then : first);
        return true;
    }
}
