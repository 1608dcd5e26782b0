using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// Our direction of a stream: the application writes into a pipe, the loop moves the bytes into the connection as far as
/// it takes them. What it does not take stays in the pipe, and a full pipe makes the application's flush wait.
/// </summary>
internal sealed class OutboundPump
{
    private readonly Pipe _pipe = StreamPipes.CreateOutbound();
    private readonly StreamId _stream;
    private ulong _resetCode;
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

    /// <summary>Nothing more will be moved. Loop only.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Are there bytes that the connection did not take yet? Loop only.</summary>
    public bool IsBlocked => _isBlocked;

    /// <summary>Loop only: moves what the connection takes; returns the bytes moved.</summary>
    public long Pump(TunnelConnection connection)
    {
        long moved = 0;
        while (!IsDone && !TryReset(connection) && _pipe.Reader.TryRead(out ReadResult result))
        {
            StreamWriteResult last = Move(connection, result.Buffer, out SequencePosition taken, ref moved);
            if (last.Status != StreamWriteStatus.Open)
            {
                EndWith(new TunnelException("The peer stopped reading this stream.", last.Code));
                break;
            }

            // Said before the next look into the pipe, so that what is flushed in between is seen there.
            _isBlocked = !result.Buffer.Slice(taken).IsEmpty;
            _pipe.Reader.AdvanceTo(taken);
            if (_isBlocked)
                break;
            if (result.IsCompleted)
            {
                connection.Finish(_stream);
                Complete(null);
            }
        }

        return moved;
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

    private StreamWriteResult Move(TunnelConnection connection, in ReadOnlySequence<byte> bytes, out SequencePosition taken, ref long moved)
    {
        long count = 0;
        StreamWriteResult last = default;
        foreach (ReadOnlyMemory<byte> piece in bytes)
        {
            last = connection.Write(_stream, piece.Span);
            count += last.Count;
            if (last.Count < piece.Length || last.Status != StreamWriteStatus.Open)
                break;
        }

        moved += count;
        taken = bytes.GetPosition(count);
        return last;
    }

    private void Complete(TunnelException? exception)
    {
        IsDone = true;
        _isBlocked = false;
        _pipe.Reader.Complete(exception);
    }
}
