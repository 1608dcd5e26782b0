using System.Buffers;
using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// The reading side of a stream: a pipe's reader that also knows how the stream ended when it did not end well. Bytes
/// that arrived before the session ended stay readable, then reads throw; after a reset they throw at once.
/// One reader at a time (as any <see cref="PipeReader"/>); <see cref="EndWith"/> may come from any thread.
/// </summary>
internal sealed class EndAwareReader(PipeReader inner, IReaderObserver observer) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;
    private long _examined;
    private bool _sawEnd;
    private bool _completed;
    private volatile StreamFailure? _failure;

    /// <summary>Ends this direction with an exception; the first one wins. With <paramref name="discard"/> unread bytes are lost.</summary>
    public void EndWith(TunnelException exception, bool discard)
    {
        var failure = new StreamFailure(exception, discard);
        if (Interlocked.CompareExchange(ref _failure, failure, null) is null)
            inner.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_failure is not null && TryRead(out ReadResult left))
            return left;
        return Deliver(await inner.ReadAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (_failure is { Discard: true } reset)
            reset.Throw();
        if (inner.TryRead(out result))
        {
            result = Deliver(result);
            return true;
        }

        _failure?.Throw();
        return false;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long taken = _buffer.Slice(0, consumed).Length;
        long seen = Math.Max(_examined, _buffer.Slice(0, examined).Length);
        long seenNow = seen - _examined;
        _examined = seen - taken;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
        if (seenNow > 0)
            observer.Examined(seenNow);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        observer.ReaderCompleted(inner, _sawEnd, TunnelException.CodeOf(exception));
    }

    /// <summary>Hands the result on, unless the stream failed and the caller has already examined all that there is.</summary>
    private ReadResult Deliver(ReadResult result)
    {
        StreamFailure? failure = _failure;
        if (failure is null)
            return Remember(result);
        if (!failure.Discard && result.Buffer.Length > _examined)
            return Remember(new ReadResult(result.Buffer, isCanceled: false, isCompleted: false));
        inner.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        failure.Throw();
        return default;
    }

    private ReadResult Remember(ReadResult result)
    {
        _buffer = result.Buffer;
        _sawEnd = result.IsCompleted;
        return result;
    }
}

/// <summary>What a stream does when its reader moves on. Called on the reader's thread; must not block.</summary>
internal interface IReaderObserver
{
    /// <summary>The application looked at <paramref name="bytes"/> more than ever before, whether it took them or left them for later.</summary>
    void Examined(long bytes);

    /// <summary>
    /// The application is done with reading; <paramref name="reachedEnd"/> tells whether it saw the end of the stream, and
    /// <paramref name="code"/> why it does not want the rest.
    /// </summary>
    void ReaderCompleted(PipeReader inner, bool reachedEnd, ulong code);
}

/// <summary>How a direction of a stream failed. Each throw makes a fresh exception, because several threads may get one.</summary>
internal sealed record StreamFailure(TunnelException Exception, bool Discard)
{
    /// <summary>Throws a fresh copy with the original inside.</summary>
    public void Throw() => throw Exception.Again();
}
