namespace P2PMigrate.Migration.Archives;

/// <summary>
/// Turns what is written to it into the blocks of an archive. Does not own <paramref name="output"/>, which may be a pipe. Without <see cref="FinishAsync"/> the archive
/// has no end, and no reader takes it for whole.
/// </summary>
// spec: ARC-01
internal sealed class ArchiveBlockWriter(Stream output) : ArchiveStream
{
    private readonly ArchiveBlocks _blocks = new();
    private readonly byte[] _block = new byte[ArchiveBlocks.PrefixLength + ArchiveBlocks.BlockLength + ArchiveBlocks.DigestLength];
    private int _length;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <summary>Bytes that went to the output.</summary>
    public long Written { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> bytes = buffer;
        while (!bytes.IsEmpty)
        {
            int part = Math.Min(bytes.Length, ArchiveBlocks.BlockLength - _length);
            bytes[..part].CopyTo(_block.AsMemory(ArchiveBlocks.PrefixLength + _length));
            bytes = bytes[part..];
            _length += part;
            if (_length == ArchiveBlocks.BlockLength)
                await EndBlockAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Does nothing: a block goes out when it is full.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Writes the end block.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (_length > 0)
            await EndBlockAsync(cancellationToken).ConfigureAwait(false);
        await EndBlockAsync(cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _blocks.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask EndBlockAsync(CancellationToken cancellationToken)
    {
        if (Written == 0)
            await WriteOutAsync(ArchiveBlocks.Magic.ToArray(), cancellationToken).ConfigureAwait(false);
        int end = ArchiveBlocks.PrefixLength + _length;
        ArchiveBlocks.WritePrefix(_block, _length);
        _blocks.Next(_block.AsSpan(0, ArchiveBlocks.PrefixLength), _block.AsSpan(ArchiveBlocks.PrefixLength, _length)).CopyTo(_block.AsSpan(end));
        await WriteOutAsync(_block.AsMemory(0, end + ArchiveBlocks.DigestLength), cancellationToken).ConfigureAwait(false);
        _length = 0;
    }

    private async ValueTask WriteOutAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // A pipe that nobody empties cannot be cancelled, and the container may stand still meanwhile.
        await output.WriteAsync(bytes, CancellationToken.None).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        Written += bytes.Length;
    }
}
