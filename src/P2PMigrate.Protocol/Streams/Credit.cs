namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// The credit that we give the peer for one stream or one class: it may send up to <see cref="Granted"/>, which moves on
/// as what it sent is consumed. A grant is worth a frame once it has grown by a quarter of the window.
/// </summary>
// spec: STR-20
internal sealed class ReceiveCredit(ulong window)
{
    private const ulong UpdateFraction = 4;

    private ulong _consumed;

    /// <summary>How much may be on the way or unread.</summary>
    public ulong Window { get; } = window;

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
    public ulong Grant() => Granted = _consumed + Window;
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
