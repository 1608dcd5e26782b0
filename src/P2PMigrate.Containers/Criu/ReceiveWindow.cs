using System.Buffers;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// The bytes of a stream that arrived and were not consumed yet, in one pooled buffer. Reads are as large as the free
/// space allows. One caller; memory handed out is valid until the next call.
/// </summary>
internal sealed class ReceiveWindow(Stream source, int capacity) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(capacity);
    private int _start;
    private int _end;

    /// <summary>Waits until <paramref name="count"/> bytes are there. False when the stream ended before; what came stays.</summary>
    public async ValueTask<bool> EnsureAsync(int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length);
        while (_end - _start < count)
        {
            if (_buffer.Length - _start < count) MoveToFront();
            int read = await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0) return false;
            _end += read;
        }

        return true;
    }

    /// <summary>How many bytes wait.</summary>
    public int Available => _end - _start;

    /// <summary>Takes <paramref name="count"/> bytes out, which must be there.</summary>
    public ReadOnlyMemory<byte> Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Available);
        ReadOnlyMemory<byte> taken = _buffer.AsMemory(_start, count);
        _start += count;
        if (_start == _end) _start = _end = 0;
        return taken;
    }

    public void Dispose()
    {
        byte[] buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private void MoveToFront()
    {
        _buffer.AsSpan(_start, Available).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
    }
}
