using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// A pipe's writer that tells the loop after each flush that there is something to send, unless the loop is about to look
/// anyway, and turns an exceptional completion into a reset. One writer at a time, as any <see cref="PipeWriter"/>.
/// </summary>
internal sealed class AttentiveWriter(PipeWriter inner, Action requestAttention, Action<ulong> requestReset, Func<bool> isAttentive) : PipeWriter
{
    private bool _completed;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<FlushResult> flush = inner.FlushAsync(cancellationToken);
        if (!isAttentive())
            requestAttention();
        return flush;
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        if (exception is not null)
            requestReset(TunnelException.CodeOf(exception));
        inner.Complete();
        requestAttention();
    }
}
