namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Our direction of a stream: what the application wrote, what of it went out and arrived, and how it ends. It ends when
/// the peer has acknowledged the final byte or the reset. One owner.
/// </summary>
internal sealed class SendHalf(ulong peerWindow, SendAllowance allowance, SlabPool pool) : IDisposable
{
    /// <summary>Bytes that came back to the lender before it is told, unless they are all.</summary>
    // spec: CONST-144
    private const ulong WorthTelling = 64 << 10;

    private readonly SendBuffer _buffer = new(pool);
    private readonly SendCredit _credit = new(peerWindow);
    private ulong? _stopCode;
    private bool _isFinishing;
    private bool _isFinPending;
    private bool _isFinAcked;
    private bool _isResetAcked;
    private int? _writableAt;
    private ulong _toldReleased;
    private bool _isLent;

    /// <summary>The code with which this direction was given up, if it was.</summary>
    public ulong? ResetCode { get; private set; }

    /// <summary>Has a reset to be sent, for the first time or again?</summary>
    public bool IsResetPending { get; private set; }

    /// <summary>Bytes that went out at least once: the final size after a reset.</summary>
    public ulong SentLength => _buffer.Next;

    /// <summary>What was lent before this offset is its owner's again.</summary>
    public ulong Released => ResetCode is null ? _buffer.Released : ulong.MaxValue;

    /// <summary>Where the range begins that <see cref="TryTake"/> takes next.</summary>
    public ulong NextOffset => _buffer.NextOffset;

    /// <summary>Has the peer acknowledged the end, or was there a reset it acknowledged?</summary>
    public bool IsOver => _isResetAcked || (_isFinAcked && _buffer.IsAcknowledged);

    /// <summary>Is something written, or the end, not acknowledged yet?</summary>
    public bool HasUnacknowledged => ResetCode is null ? !_buffer.IsAcknowledged || (_isFinishing && !_isFinAcked) : !_isResetAcked;

    /// <summary>Can something be sent without credit: lost bytes, or the end alone?</summary>
    public bool WantsWithoutCredit => ResetCode is null && (_buffer.HasLost || (_isFinPending && _buffer.Next == _buffer.End));

    /// <summary>Are there new bytes that the stream's credit covers?</summary>
    public bool WantsFresh => ResetCode is null && _buffer.Next < _buffer.End && _credit.Available > 0;

    /// <summary>Takes as many bytes as the session's allowance has room for.</summary>
    public StreamWriteResult Write(ReadOnlySpan<byte> data)
    {
        if (_stopCode is { } stopCode)
            return new(0, StreamWriteStatus.Stopped, stopCode);
        if (_isFinishing || ResetCode is not null)
            return new(0, StreamWriteStatus.Finished);
        int count = Math.Min(data.Length, allowance.RoomFor(_buffer.Length));
        _buffer.Append(data[..count]);
        return Taken(count, data.Length);
    }

    /// <summary>The same without a copy: what is taken stays as it is until <see cref="Released"/> has passed it.</summary>
    // spec: STR-27
    public StreamWriteResult Lend(ReadOnlyMemory<byte> data)
    {
        if (_stopCode is { } stopCode)
            return new(0, StreamWriteStatus.Stopped, stopCode);
        if (_isFinishing || ResetCode is not null)
            return new(0, StreamWriteStatus.Finished);
        int count = Math.Min(data.Length, allowance.RoomFor(_buffer.Length));
        _buffer.Lend(data[..count]);
        _isLent |= count > 0;
        return Taken(count, data.Length);
    }

    /// <summary>No more bytes will be written.</summary>
    public void Finish()
    {
        if (_isFinishing || ResetCode is not null)
            return;
        _isFinishing = _isFinPending = true;
    }

    /// <summary>Gives up what is not acknowledged; false when that changes nothing any more.</summary>
    public bool TryReset(ulong code)
    {
        if (ResetCode is not null || IsOver)
            return false;
        ResetCode = code;
        IsResetPending = true;
        allowance.Add(-_buffer.Length);
        _buffer.Discard();
        return true;
    }

    /// <summary>The peer does not want the rest; false when it said so before or nothing is left to stop.</summary>
    // spec: STR-31
    public bool TryStop(ulong code)
    {
        if (!TryReset(code))
            return false;
        _stopCode = code;
        return true;
    }

    /// <summary>The peer gives credit; true when the stream can send more than before.</summary>
    public bool TryRaiseCredit(ulong limit) => _credit.TryRaise(limit);

    /// <summary>
    /// Takes the range to send next, at most <paramref name="maxLength"/> bytes, new ones only as far as
    /// <paramref name="classCredit"/> and the stream's own credit go. False when there is none.
    /// </summary>
    // spec: STR-21
    public bool TryTake(int maxLength, SendCredit classCredit, out StreamRange range, out bool isFinal)
    {
        ulong before = _buffer.Next;
        range = _buffer.Take(maxLength, before + Math.Min(_credit.Available, classCredit.Available));
        ulong fresh = _buffer.Next - before;
        _credit.Use(fresh);
        classCredit.Use(fresh);
        isFinal = _isFinishing && range.End == _buffer.End;
        bool isEndAlone = range.IsEmpty && isFinal && _isFinPending;
        _isFinPending &= !isFinal;
        return !range.IsEmpty || isEndAlone;
    }

    /// <summary>Copies bytes of a range just taken.</summary>
    public void CopyTo(ulong offset, Span<byte> destination) => _buffer.CopyTo(offset, destination);

    /// <summary>The reset is being written into a packet.</summary>
    public void TakeReset() => IsResetPending = false;

    /// <summary>The peer has this range. True when the application waits for room and there is some now, or memory that it lent is its own again.</summary>
    public bool HandleAcked(StreamRange range, bool isFinal)
    {
        if (ResetCode is not null)
            return false;
        _isFinAcked |= isFinal;
        _isFinPending &= !_isFinAcked;
        int before = _buffer.Length;
        _buffer.HandleAcked(range);
        allowance.Add(_buffer.Length - before);
        bool isRoom = _buffer.Length <= _writableAt;
        _writableAt = isRoom ? null : _writableAt;
        return isRoom | IsWorthTelling();
    }

    /// <summary>This range has to be sent again.</summary>
    public void HandleLost(StreamRange range, bool isFinal)
    {
        if (ResetCode is not null)
            return;
        _isFinPending |= isFinal && !_isFinAcked;
        _buffer.HandleLost(range);
    }

    /// <summary>The peer knows of the reset.</summary>
    public void HandleResetAcked() => _isResetAcked = true;

    /// <summary>The reset has to be sent again.</summary>
    public void HandleResetLost() => IsResetPending = !_isResetAcked;

    private StreamWriteResult Taken(int count, int offered)
    {
        allowance.Add(count);
        _writableAt = count < offered ? _buffer.Length - _buffer.Length / 4 : null;
        return new(count, StreamWriteStatus.Open);
    }

    // The lender's blocks are larger than a few packets.
    private bool IsWorthTelling()
    {
        if (!_isLent || (_buffer.Released - _toldReleased < WorthTelling && !_buffer.IsAcknowledged))
            return false;
        _toldReleased = _buffer.Released;
        _isLent = !_buffer.IsAcknowledged;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        allowance.Add(-_buffer.Length);
        _buffer.Discard();
    }
}
