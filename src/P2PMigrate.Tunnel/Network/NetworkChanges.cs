using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Brings the notices of a watch to the loop: the first at once, those that come in its wake together, after a moment. One
/// change of uplink is a dozen notices.
/// </summary>
internal sealed class NetworkChanges(DatagramLoop loop) : IWish
{
    /// <summary>The shortest time between two answers to changes.</summary>
    // spec: CONST-68
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private Instant _quietUntil;
    private bool _isPending;
    private int _isPosted;

    /// <summary>When <see cref="TryTake"/> has something to give. Loop only.</summary>
    public Instant NextTimeout => _isPending ? _quietUntil : Instant.Never;

    /// <summary>From any thread: something changed.</summary>
    public void Note()
    {
        if (Interlocked.Exchange(ref _isPosted, 1) == 0)
            loop.Post(this);
    }

    /// <summary>Is a change to be answered now? Loop only.</summary>
    public bool TryTake(Instant now)
    {
        if (!_isPending || now < _quietUntil)
            return false;
        _isPending = false;
        _quietUntil = now + Interval;
        return true;
    }

    /// <inheritdoc/>
    public void Fulfil(Instant now)
    {
        Volatile.Write(ref _isPosted, 0);
        _isPending = true;
    }

    /// <inheritdoc/>
    public void Refuse()
    {
        // The loop has ended: nobody has a path any more.
    }
}
