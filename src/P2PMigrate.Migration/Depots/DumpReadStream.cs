using P2PMigrate.Migration.Archives;

namespace P2PMigrate.Migration.Depots;

/// <summary>An archive out of a depot, its parts one behind the other. Does not own the depot.</summary>
// spec: DEP-22
internal sealed class DumpReadStream(Depot depot, JobId job, int parts) : ArchiveStream
{
    private ReadOnlyMemory<byte> _left;
    private int _next;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_left.IsEmpty && _next < parts)
        {
            _left = await depot.TryReadPartAsync(job, _next, cancellationToken).ConfigureAwait(false)
                ?? throw Depot.Damaged($"{depot.Place}", $"lacks part {_next} of the dump {job}");
            _next++;
        }

        int length = Math.Min(buffer.Length, _left.Length);
        _left[..length].CopyTo(buffer);
        _left = _left[length..];
        return length;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
