using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// The peer's direction of a stream: what arrived, what the application read, and how it ends. It is over when the
/// application has seen the end, or had said that it does not want the rest. One owner.
/// </summary>
internal sealed class ReceiveHalf(ReceiveCredit credit, ReceiveCredit classCredit, SlabPool pool) : IDisposable
{
    private readonly ReceiveBuffer _buffer = new(pool);
    private ulong? _finalSize;
    private ulong? _resetCode;
    private ulong _consumed;
    private bool _isEndSeen;

    /// <summary>Takes bytes that come in their order, as soon as they do; null when all wait to be read.</summary>
    public IStreamReader? Reader
    {
        set => _buffer.Reader = value;
    }

    /// <summary>The code with which the application refused the rest, if it did.</summary>
    public ulong? StopCode { get; private set; }

    /// <summary>Has the refusal to be sent, for the first time or again?</summary>
    public bool IsStopPending { get; private set; }

    /// <summary>Is a frame with new credit worth sending, or was the last one lost?</summary>
    public bool IsCreditPending => MayGetMore && (_isCreditLost || credit.IsUpdateDue);

    /// <summary>Is nothing more expected by the application?</summary>
    public bool IsOver => _isEndSeen || (StopCode is not null && _finalSize is not null);

    private bool _isCreditLost;

    private bool MayGetMore => _finalSize is null && StopCode is null;

    private bool IsComplete => _finalSize == _buffer.ReadOffset + (ulong)_buffer.Readable;

    /// <summary>
    /// A range arrived. Returns the error code that it deserves, or <see cref="TunnelErrorCode.None"/>;
    /// <paramref name="isNews"/> when there is something to read that was not there before.
    /// </summary>
    // spec: STR-14, STR-22
    public ulong HandleData(in StreamFrame frame, out bool isNews)
    {
        isNews = false;
        ulong end = frame.Offset + (ulong)frame.Data.Length;
        if (frame.IsFinal ? !TrySetFinalSize(end) : end > (_finalSize ?? end))
            return TunnelErrorCode.FinalSize;
        if (!TryUseCredit(end))
            return TunnelErrorCode.FlowControl;
        if (StopCode is not null || _resetCode is not null)
        {
            ConsumeAll();
            return TunnelErrorCode.None;
        }

        int before = _buffer.Readable;
        ulong readBefore = _buffer.ReadOffset;
        if (!_buffer.TryInsert(frame.Offset, frame.Data))
            return TunnelErrorCode.StreamDataChanged;
        ulong handedOver = _buffer.ReadOffset - readBefore;
        Consume(handedOver);
        isNews = !_isEndSeen && (handedOver > 0 || _buffer.Readable > before || (frame.IsFinal && IsComplete));
        return TunnelErrorCode.None;
    }

    /// <summary>The peer gave up. Returns an error code as <see cref="HandleData"/> does.</summary>
    // spec: STR-30
    public ulong HandleReset(in ResetStreamFrame frame, out bool isNews)
    {
        isNews = false;
        bool wasComplete = IsComplete;
        if (!TrySetFinalSize(frame.FinalSize))
            return TunnelErrorCode.FinalSize;
        if (!TryUseCredit(frame.FinalSize))
            return TunnelErrorCode.FlowControl;
        if (_resetCode is not null || wasComplete)
            return TunnelErrorCode.None;
        _resetCode = frame.Code;
        isNews = StopCode is null;
        ConsumeAll();
        _buffer.Dispose();
        return TunnelErrorCode.None;
    }

    /// <summary>Copies the next bytes and gives credit for them.</summary>
    public StreamReadResult Read(Span<byte> destination)
    {
        if (_resetCode is { } code)
        {
            _isEndSeen = true;
            return new(0, StreamReadStatus.Reset, code);
        }

        if (StopCode is not null)
            return new(0, StreamReadStatus.Finished);
        int count = _buffer.Read(destination);
        Consume((ulong)count);
        _isEndSeen |= _finalSize == _buffer.ReadOffset;
        return new(count, _isEndSeen ? StreamReadStatus.Finished : StreamReadStatus.Open);
    }

    /// <summary>The application does not want the rest; false when that changes nothing any more.</summary>
    public bool TryStop(ulong code)
    {
        if (StopCode is not null || _isEndSeen)
            return false;
        StopCode = code;
        IsStopPending = _resetCode is null && !IsComplete;
        ConsumeAll();
        _buffer.Dispose();
        return true;
    }

    /// <summary>The refusal is being written into a packet.</summary>
    public void TakeStop() => IsStopPending = false;

    /// <summary>The refusal has to be sent again, unless the end has arrived meanwhile.</summary>
    public void HandleStopLost() => IsStopPending = _finalSize is null;

    /// <summary>New credit is being written into a packet; returns the limit.</summary>
    public ulong TakeCredit(Instant now, TimeSpan roundTrip)
    {
        _isCreditLost = false;
        return credit.Grant(now, roundTrip);
    }

    /// <summary>A frame with credit was lost.</summary>
    public void HandleCreditLost() => _isCreditLost = true;

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private bool TrySetFinalSize(ulong size)
    {
        if (size < credit.Received || size != (_finalSize ?? size))
            return false;
        _finalSize = size;
        return true;
    }

    private bool TryUseCredit(ulong end)
    {
        ulong more = end > credit.Received ? end - credit.Received : 0;
        return credit.TryReceive(more) && classCredit.TryReceive(more);
    }

    // spec: STR-24
    private void ConsumeAll() => Consume(credit.Received - _consumed);

    private void Consume(ulong count)
    {
        _consumed += count;
        credit.Consume(count);
        classCredit.Consume(count);
    }
}
