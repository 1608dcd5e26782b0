using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Brings the notices of a watch to the loop: the first at once, those that come in its wake together, after a moment. One
/// change of uplink is a dozen notices; a machine with many containers never stops telling, and is answered rarely.
/// </summary>
internal sealed class NetworkChanges(DatagramLoop loop) : IWish
{
    /// <summary>The time between the first answer to changes and the second.</summary>
    // spec: CONST-68
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The time between two further answers, while changes keep coming.</summary>
    // spec: CONST-68
    public static readonly TimeSpan SteadyInterval = TimeSpan.FromSeconds(1);

    private readonly Pace _pace = new(Interval, SteadyInterval);
    private int _isPosted;

    /// <summary>When <see cref="TryTake"/> has something to give. Loop only.</summary>
    public Instant NextTimeout => _pace.NextTimeout;

    /// <summary>From any thread: something changed.</summary>
    public void Note()
    {
        if (Interlocked.Exchange(ref _isPosted, 1) == 0)
            loop.Post(this);
    }

    /// <summary>Is a change to be answered now? Loop only.</summary>
    public bool TryTake(Instant now) => _pace.TryTake(now);

    /// <inheritdoc/>
    public void Fulfil(Instant now)
    {
        Volatile.Write(ref _isPosted, 0);
        _pace.Ask();
    }

    /// <inheritdoc/>
    public void Refuse()
    {
        // The loop has ended: nobody has a path any more.
    }
}
