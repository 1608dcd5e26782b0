using System.IO.Pipelines;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel.InMemory;

/// <summary>
/// The writing side of an in-memory stream: announces the stream with its first flush, turns an exceptional completion
/// into a reset that the peer reads, and throws once the session ended.
/// </summary>
internal sealed class InMemoryWriter(PipeWriter inner, Action announce) : PipeWriter
{
    private Action? _announce = announce;
    private bool _completed;
    private volatile bool _finished;
    private volatile StreamFailure? _failure;

    /// <summary>Was this direction ended without an exception?</summary>
    public bool IsFinished => _finished;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <summary>From any thread: flushes that wait or come later throw.</summary>
    public void EndWith(TunnelException exception)
    {
        if (Interlocked.CompareExchange(ref _failure, new StreamFailure(exception, Discard: true), null) is null)
            inner.CancelPendingFlush();
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        _failure?.Throw();
        if (inner.UnflushedBytes > 0)
            AnnounceOnce();
        try
        {
            FlushResult result = await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
            _failure?.Throw();
            return result;
        }
        catch (TunnelException) when (_failure is { } failure)
        {
            failure.Throw(); // The reader gave up because the session ended: that is the reason.
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        if (_failure is not null)
            return;
        AnnounceOnce();
        _finished = exception is null;
        inner.Complete(exception is null ? null : new TunnelException("The peer reset this stream.", TunnelException.CodeOf(exception), exception));
    }

    private void AnnounceOnce()
    {
        Interlocked.Exchange(ref _announce, null)?.Invoke();
    }
}
