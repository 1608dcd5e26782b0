using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>
/// Nothing is heard from a session's peer on any path. It is told when it begins, and again for as long as it goes on: what helps
/// against it (another address, another server, the relay channel by name) may need more than one attempt. Loop only.
/// </summary>
// spec: PATH-80, RLY-21
internal sealed class Silence
{
    /// <summary>Between two times that it is told.</summary>
    // spec: CONST-269
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private Instant _since; // when the paths said so last
    private bool _isNews;

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout { get; private set; } = Instant.Never;

    /// <summary>No path answers.</summary>
    public void Begin(Instant now)
    {
        (_since, _isNews, NextTimeout) = (now, true, now + Interval);
    }

    /// <summary>Tells it again, unless the peer has been heard since.</summary>
    public void HandleTimeout(Instant now, Instant lastHeard)
    {
        if (now < NextTimeout)
            return;
        NextTimeout = Instant.Never;
        if (lastHeard <= _since)
            (_isNews, NextTimeout) = (true, now + Interval);
    }

    /// <summary>True, once, when it is to be told.</summary>
    public bool TryTake()
    {
        bool isNews = _isNews;
        _isNews = false;
        return isNews;
    }
}
