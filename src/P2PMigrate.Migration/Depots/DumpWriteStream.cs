using P2PMigrate.Migration.Archives;

namespace P2PMigrate.Migration.Depots;

/// <summary>An archive on its way into a depot, cut into parts. Does not own the depot.</summary>
// spec: DEP-22
internal sealed class DumpWriteStream(Depot depot, JobId job) : ArchiveStream
{
    private readonly byte[] _part = new byte[DepotLimits.PackLength];
    private int _length;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <summary>Parts that are in the place.</summary>
    public int Parts { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> bytes = buffer;
        while (!bytes.IsEmpty)
        {
            int fits = Math.Min(bytes.Length, _part.Length - _length);
            bytes[..fits].CopyTo(_part.AsMemory(_length));
            bytes = bytes[fits..];
            _length += fits;
            if (_length == _part.Length)
                await EndPartAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Does nothing: a part goes out when it is full.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The archive is complete: returns when all of it is in the place.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_length > 0)
            await EndPartAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task EndPartAsync(CancellationToken cancellationToken)
    {
        await depot.AddPartAsync(job, Parts, _part.AsMemory(0, _length), cancellationToken).ConfigureAwait(false);
        (Parts, _length) = (Parts + 1, 0);
    }
}
