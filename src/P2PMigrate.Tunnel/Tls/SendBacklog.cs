namespace P2PMigrate.Tunnel.Tls;

/// <summary>
/// How much of what was given to a stream it has not taken yet, and whether more may wait: as much as the stream carried in the
/// last quarter of a second. A connection that takes everything at once would be a queue of seconds behind which all round trips
/// grow; one that drops beyond this is a link like any other. <see cref="Remove"/> may be called by another thread than the rest.
/// </summary>
// spec: RLY-12
internal sealed class SendBacklog
{
    /// <summary>Nothing is added behind bytes that have waited longer.</summary>
    // spec: CONST-261
    public static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes that wait at most, however fast the stream is.</summary>
    // spec: CONST-261
    public const int MaxBytes = 512 << 10;

    private readonly Queue<(long End, TimeSpan At)> _marks = new();
    private long _added;
    private long _removed;

    /// <summary>Bytes that wait.</summary>
    public long Bytes => _added - Interlocked.Read(ref _removed);

    /// <summary>May that many bytes be added now?</summary>
    public bool HasRoom(TimeSpan now, int bytes)
    {
        long removed = Interlocked.Read(ref _removed);
        while (_marks.TryPeek(out (long End, TimeSpan At) first) && first.End <= removed)
            _marks.Dequeue();
        bool isStuck = _marks.TryPeek(out (long End, TimeSpan At) oldest) && now - oldest.At > MaxWait;
        return !isStuck && _added - removed + bytes <= MaxBytes;
    }

    /// <summary>They were added.</summary>
    public void Add(TimeSpan now, int bytes)
    {
        _added += bytes;
        _marks.Enqueue((_added, now));
    }

    /// <summary>The stream took the oldest ones. Any thread.</summary>
    public void Remove(long bytes) => Interlocked.Add(ref _removed, bytes);
}
