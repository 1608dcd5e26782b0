using System.Diagnostics;
using System.IO.Pipelines;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// The peer's direction of a stream: bytes that come in their order go from the packet into a pipe, the loop moves the
/// others there once their turn has come, and the application reads them.
/// Taking them from the connection is what gives the peer new credit, so a full pipe stops the peer; the application's
/// progress starts it again even when no packet arrives. As in any pipe, what the application has looked at does not count
/// as waiting for it: who looks for an end of line wants more, however much it has not taken yet.
/// </summary>
/// <remarks>
/// Waking the reader costs more than copying what a packet holds. A bulk reader is woken at once after a pause; while
/// bytes keep coming, it is woken for <see cref="FlushBytes"/> at a time, or after <see cref="s_flushDelay"/>.
/// </remarks>
internal sealed class InboundPump : IReaderObserver, IStreamReader
{
    /// <summary>Bytes that are worth waking a bulk reader for.</summary>
    // spec: CONST-63
    private const long FlushBytes = 256 << 10;

    /// <summary>How long bytes of a bulk stream wait for more of them.</summary>
    // spec: CONST-63
    private static readonly TimeSpan s_flushDelay = TimeSpan.FromMilliseconds(1);

    private readonly Pipe _pipe = StreamPipes.CreateInbound();
    private readonly EndAwareReader _reader;
    private readonly StreamId _stream;
    private readonly long _flushBytes;
    private readonly Action _requestAttention;
    private Memory<byte> _space; // The rest of the pipe's block, and the bytes before it that the pipe was not told of yet.
    private int _put;
    private long _unseen;
    private long _unflushed;
    private long _taken;
    private Instant _flushedAt;
    private int _isPaused;
    private ulong _stopCode;
    private volatile bool _isUnwanted;

    /// <summary><paramref name="requestAttention"/> may be called from any thread: the loop shall <see cref="Pump"/> soon.</summary>
    public InboundPump(StreamId stream, Action requestAttention)
    {
        _stream = stream;
        _flushBytes = stream.Class == StreamClass.Bulk ? FlushBytes : 1;
        _requestAttention = requestAttention;
        _reader = new EndAwareReader(_pipe.Reader, this);
    }

    /// <summary>The application's end.</summary>
    public PipeReader Reader => _reader;

    /// <summary>Nothing more will be moved. Loop only.</summary>
    public bool IsDone { get; private set; }

    /// <summary>When <see cref="FlushIfDue"/> has something to do. Loop only.</summary>
    public Instant FlushDue => _unflushed > 0 && !IsDone ? _flushedAt + s_flushDelay : Instant.Never;

    /// <summary>
    /// Loop only: moves what there is, up to the limit of the pipe; returns the bytes moved. With
    /// <paramref name="everything"/> (the session has ended) the limit does not count: the peer's credit bounds it.
    /// </summary>
    public long Pump(TunnelConnection connection, Instant now, bool everything = false)
    {
        long moved = _taken;
        _taken = 0;
        if (IsDone)
            return moved;
        if (_isUnwanted)
        {
            connection.StopSending(_stream, _stopCode);
            Complete();
            return moved;
        }

        StreamReadResult last = default;
        while (HasRoom(everything) && TryMove(connection, ref moved, ref last))
        {
        }

        _unflushed += moved;
        Settle(now, last);
        return moved;
    }

    /// <inheritdoc/>
    int IStreamReader.Take(ReadOnlySpan<byte> bytes)
    {
        // The event that tells of these bytes makes the loop Pump, which shows them to the reader.
        int taken = 0;
        while (taken < bytes.Length && !IsDone && !_isUnwanted && HasRoom(everything: false))
        {
            Span<byte> space = Space();
            ReadOnlySpan<byte> piece = bytes.Slice(taken, Math.Min(space.Length, bytes.Length - taken));
            piece.CopyTo(space);
            Put(piece.Length);
            taken += piece.Length;
        }

        _taken += taken;
        return taken;
    }

    /// <summary>Loop only: shows the reader what has waited long enough.</summary>
    public void FlushIfDue(Instant now)
    {
        if (FlushDue <= now)
            Flush(now);
    }

    /// <summary>Loop only: the session ended. What was moved stays readable.</summary>
    public void EndWith(TunnelException exception)
    {
        if (IsDone)
            return;
        Flush(default); // The reader must not meet the end before the bytes that came before it.
        _reader.EndWith(exception, discard: false);
        Complete();
    }

    /// <inheritdoc/>
    void IReaderObserver.Examined(long bytes)
    {
        long left = Interlocked.Add(ref _unseen, -bytes);
        if (left <= StreamPipes.InboundLimit / 2 && Interlocked.CompareExchange(ref _isPaused, 0, 1) == 1)
            _requestAttention();
    }

    /// <inheritdoc/>
    void IReaderObserver.ReaderCompleted(PipeReader inner, bool reachedEnd, ulong code)
    {
        inner.Complete();
        _stopCode = code;
        _isUnwanted = true;
        _requestAttention();
    }

    private bool HasRoom(bool everything)
    {
        if (everything || Volatile.Read(ref _unseen) + _put < StreamPipes.InboundLimit)
            return true;
        // Say that we pause, then look again: the application counts first and looks at the pause second.
        Interlocked.Exchange(ref _isPaused, 1);
        if (Volatile.Read(ref _unseen) + _put > StreamPipes.InboundLimit / 2)
            return false;
        Volatile.Write(ref _isPaused, 0);
        return true;
    }

    private bool TryMove(TunnelConnection connection, ref long moved, ref StreamReadResult read)
    {
        Span<byte> space = Space();
        read = connection.Read(_stream, space);
        Put(read.Count);
        moved += read.Count;
        return read.Count == space.Length && read.Status == StreamReadStatus.Open;
    }

    private Span<byte> Space()
    {
        if (_space.IsEmpty)
        {
            Tell();
            _space = _pipe.Writer.GetMemory();
        }

        return _space.Span;
    }

    private void Put(int count)
    {
        _space = _space[count..];
        _put += count;
    }

    // Once a block or a flush: it takes the pipe's lock, which the reader wants too.
    private void Tell()
    {
        if (_put == 0)
            return;
        _pipe.Writer.Advance(_put);
        Interlocked.Add(ref _unseen, _put);
        _put = 0;
    }

    private void Settle(Instant now, StreamReadResult last)
    {
        if (last.Status == StreamReadStatus.Open)
        {
            if (_unflushed >= _flushBytes || Volatile.Read(ref _isPaused) == 1)
                Flush(now);
            else
                FlushIfDue(now);
        }
        else if (last.Status == StreamReadStatus.Finished)
            Complete();
        else if (last.Status == StreamReadStatus.Reset)
        {
            _reader.EndWith(new TunnelException("The peer reset this stream.", last.Code), discard: true);
            Complete();
        }
    }

    private void Flush(Instant now)
    {
        Tell();
        _space = default; // The reader may give the block back once it has seen all of it.
        (_flushedAt, _unflushed) = (now, 0);
        ValueTask<FlushResult> flush = _pipe.Writer.FlushAsync();
        Debug.Assert(flush.IsCompleted, "A pipe without a threshold never makes its writer wait.");
        flush.GetAwaiter().GetResult();
    }

    private void Complete()
    {
        IsDone = true;
        Tell();
        _space = default;
        _pipe.Writer.Complete();
    }
}
