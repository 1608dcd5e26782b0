using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// Our direction of a stream: the application writes into a pipe, the loop lends the bytes to the connection as far as
/// it takes them. They stay in the pipe until the peer has acknowledged them, and what the connection does not take makes the
/// application's flush wait once it is too much.
/// </summary>
internal sealed class OutboundPump
{
    private readonly Pipe _pipe = StreamPipes.CreateOutbound();
    private readonly StreamId _stream;
    private ulong _resetCode;
    private ulong _start; // Where the pipe begins, as an offset in the stream, and what of it the connection has.
    private ulong _lent;
    private bool _isFinished;
    private volatile bool _isResetWanted;
    private volatile bool _isBlocked;

    /// <summary><paramref name="requestAttention"/> may be called from any thread: the loop shall <see cref="Pump"/> soon.</summary>
    public OutboundPump(StreamId stream, Action requestAttention)
    {
        _stream = stream;
        // A pump that is blocked looks into the pipe by itself once the connection takes more.
        Writer = new AttentiveWriter(_pipe.Writer, requestAttention, RequestReset, isAttentive: () => _isBlocked);
    }

    /// <summary>The application's end.</summary>
    public PipeWriter Writer { get; }

    /// <summary>Nothing more will be moved, and the connection has nothing of ours. Loop only.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Are there bytes that the connection did not take yet? Loop only.</summary>
    public bool IsBlocked => _isBlocked;

    /// <summary>Loop only: moves what the connection takes, and gives back what the peer has; returns the bytes moved.</summary>
    public long Pump(TunnelConnection connection)
    {
        ulong before = _lent;
        if (!IsDone && Math.Min(connection.ReleasedUpTo(_stream), _lent) > _start)
            _pipe.Reader.CancelPendingRead(); // The pipe gives its blocks back in a read, also when there is nothing new.
        while (!IsDone && !TryReset(connection) && _pipe.Reader.TryRead(out ReadResult result))
        {
            StreamWriteResult last = Lend(connection, result.Buffer);
            if (last.Status != StreamWriteStatus.Open && connection.ReleasedUpTo(_stream) == ulong.MaxValue)
            {
                EndWith(new TunnelException("The peer stopped reading this stream.", last.Code));
                break;
            }

            Advance(connection, result.Buffer);
            if (_isBlocked)
                break; // For good when the session is being closed: what is lent goes out, and then it ends.
            if (result.IsCompleted)
            {
                Finish(connection);
                break;
            }
        }

        return (long)(_lent - before);
    }

    /// <summary>Loop only: nobody takes the bytes any more; flushes throw <paramref name="exception"/>.</summary>
    public void EndWith(TunnelException exception)
    {
        if (!IsDone)
            Complete(exception);
    }

    private void RequestReset(ulong code)
    {
        _resetCode = code;
        _isResetWanted = true;
    }

    private bool TryReset(TunnelConnection connection)
    {
        if (!_isResetWanted)
            return false;
        connection.Reset(_stream, _resetCode);
        Complete(null);
        return true;
    }

    private StreamWriteResult Lend(TunnelConnection connection, in ReadOnlySequence<byte> held)
    {
        StreamWriteResult last = default;
        foreach (ReadOnlyMemory<byte> piece in held.Slice((long)(_lent - _start)))
        {
            if (piece.IsEmpty)
                continue;
            last = connection.Lend(_stream, piece);
            _lent += (ulong)last.Count;
            if (last.Count < piece.Length || last.Status != StreamWriteStatus.Open)
                break;
        }

        return last;
    }

    // Examined is what was lent: the application waits only for what was not.
    private void Advance(TunnelConnection connection, in ReadOnlySequence<byte> held)
    {
        SequencePosition examined = held.GetPosition((long)(_lent - _start));
        ulong released = Math.Min(connection.ReleasedUpTo(_stream), _lent);
        SequencePosition consumed = held.GetPosition((long)(released - _start));
        // Said before the next look into the pipe, so that what is flushed in between is seen there.
        _isBlocked = (long)(_lent - _start) < held.Length;
        _start = released;
        _pipe.Reader.AdvanceTo(consumed, examined);
    }

    // What is lent has to stay until the peer has it all.
    private void Finish(TunnelConnection connection)
    {
        if (!_isFinished)
            connection.Finish(_stream);
        _isFinished = true;
        if (_start == _lent)
            Complete(null);
    }

    private void Complete(TunnelException? exception)
    {
        IsDone = true;
        _isBlocked = false;
        _pipe.Reader.Complete(exception);
    }
}
