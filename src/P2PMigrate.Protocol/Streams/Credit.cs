namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// The credit that we give the peer for one stream or one class: it may send up to <see cref="Granted"/>, which moves on
/// as what it sent is consumed. A grant is worth a frame once it has grown by a quarter of the window. The window doubles,
/// up to <paramref name="maxWindow"/> and what the session's budget allows, when it holds a fast reader back.
/// </summary>
// spec: STR-20, STR-25
internal sealed class ReceiveCredit(ulong window, ulong maxWindow, WindowBudget? budget = null)
{
    private const ulong UpdateFraction = 4;
    private const int FastRoundTrips = 4;

    // Shorter round trips than this say more about the scheduling of the reader than about the path.
    // spec: CONST-34
    private static readonly TimeSpan s_minRoundTrip = TimeSpan.FromMilliseconds(4);

    private ulong _consumed;
    private ulong _consumedAtGrant;
    private Instant _grantedAt;

    /// <summary>How much may be on the way or unread.</summary>
    public ulong Window { get; private set; } = window;

    /// <summary>The limit that the peer was told last.</summary>
    public ulong Granted { get; private set; } = window;

    /// <summary>Bytes received, counted by the highest offsets.</summary>
    public ulong Received { get; private set; }

    /// <summary>Would a new grant be worth a frame?</summary>
    public bool IsUpdateDue => _consumed + Window - Granted >= Math.Max(1, Window / UpdateFraction);

    /// <summary>The peer sent <paramref name="count"/> more bytes; false when it may not.</summary>
    public bool TryReceive(ulong count)
    {
        if (count > Granted - Received)
            return false;
        Received += count;
        return true;
    }

    /// <summary>Received bytes left the buffers.</summary>
    public void Consume(ulong count) => _consumed += count;

    /// <summary>Moves the grant on and returns it.</summary>
    public ulong Grant(Instant now, TimeSpan roundTrip)
    {
        if (IsUpdateDue)
        {
            GrowIfFast(now - _grantedAt, roundTrip > s_minRoundTrip ? roundTrip : s_minRoundTrip);
            (_consumedAtGrant, _grantedAt) = (_consumed, now);
        }

        return Granted = Math.Max(Granted, _consumed + Window);
    }

    // At this pace a whole window lasts less than four round trips: a packet that is lost twice holds up the reader for
    // as long, and the peer would wait for credit.
    private void GrowIfFast(TimeSpan took, TimeSpan roundTrip)
    {
        double pace = (double)(_consumed - _consumedAtGrant) / Window;
        if (took > roundTrip * FastRoundTrips * pace)
            return;
        ulong more = Math.Min(Window, maxWindow - Math.Min(Window, maxWindow));
        Window += budget?.Take(more) ?? more;
    }
}

/// <summary>What the windows of all classes of a session may come to together. One owner.</summary>
internal sealed class WindowBudget(ulong limit)
{
    private ulong _used;

    /// <summary>Takes as much as is left of what is wanted.</summary>
    public ulong Take(ulong wanted)
    {
        ulong taken = Math.Min(wanted, limit - Math.Min(_used, limit));
        _used += taken;
        return taken;
    }
}

/// <summary>The credit that the peer gives us for one stream or one class.</summary>
internal sealed class SendCredit(ulong limit)
{
    private ulong _limit = limit;
    private ulong _used;

    /// <summary>Bytes that may be sent now.</summary>
    public ulong Available => _limit - _used;

    /// <summary>Takes from what is available.</summary>
    public void Use(ulong count) => _used += count;

    /// <summary>The peer named a limit; true when it is more than before.</summary>
    public bool TryRaise(ulong limit)
    {
        if (limit <= _limit)
            return false;
        _limit = limit;
        return true;
    }
}
