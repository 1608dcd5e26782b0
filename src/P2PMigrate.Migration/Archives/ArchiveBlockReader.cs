using System.Security.Cryptography;

namespace P2PMigrate.Migration.Archives;

/// <summary>
/// The contents of an archive's blocks as a stream; a byte of a block is handed out when the block was verified. Owns nothing. What is no archive, or damaged, or cut short is a
/// <see cref="MigrationException"/> of <see cref="MigrationFault.ArchiveDamaged"/>.
/// </summary>
// spec: ARC-03
internal sealed class ArchiveBlockReader(Stream input) : ArchiveStream
{
    private readonly ArchiveBlocks _blocks = new();
    private readonly byte[] _prefix = new byte[ArchiveBlocks.PrefixLength];
    private readonly byte[] _block = new byte[ArchiveBlocks.BlockLength + ArchiveBlocks.DigestLength];
    private long _place;
    private int _length;
    private int _read;
    private bool _isAtEnd;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <summary>Returns when the end block was verified; false when there is something before it.</summary>
    public async ValueTask<bool> TryReachEndAsync(CancellationToken cancellationToken)
    {
        if (_read == _length && !_isAtEnd)
            await ReadBlockAsync(cancellationToken).ConfigureAwait(false);
        return _isAtEnd;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || await TryReachEndAsync(cancellationToken).ConfigureAwait(false))
            return 0;
        int part = Math.Min(buffer.Length, _length - _read);
        _block.AsMemory(_read, part).CopyTo(buffer);
        _read += part;
        return part;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _blocks.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask ReadBlockAsync(CancellationToken cancellationToken)
    {
        if (_place == 0)
            await ReadMagicAsync(cancellationToken).ConfigureAwait(false);
        long start = _place;
        await FillAsync(_prefix, cancellationToken).ConfigureAwait(false);
        uint length = ArchiveBlocks.ReadPrefix(_prefix);
        if (length > ArchiveBlocks.BlockLength)
            throw Damaged($"there is no block at byte {start}");
        Memory<byte> rest = _block.AsMemory(0, (int)length + ArchiveBlocks.DigestLength);
        await FillAsync(rest, cancellationToken).ConfigureAwait(false);
        if (!CryptographicOperations.FixedTimeEquals(_blocks.Next(_prefix, rest.Span[..(int)length]), rest.Span[(int)length..]))
            throw Damaged($"the block at byte {start} is not what was written");
        (_length, _read, _isAtEnd) = ((int)length, 0, length == 0);
        if (_isAtEnd && await input.ReadAsync(_prefix.AsMemory(0, 1), cancellationToken).ConfigureAwait(false) != 0)
            throw Damaged($"something follows behind its end, at byte {_place}");
    }

    private async ValueTask ReadMagicAsync(CancellationToken cancellationToken)
    {
        byte[] magic = new byte[ArchiveBlocks.Magic.Length];
        int read = await input.ReadAtLeastAsync(magic, magic.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read < magic.Length || !ArchiveBlocks.Magic.SequenceEqual(magic))
            throw new MigrationException(MigrationFault.ArchiveDamaged, "This is no archive of p2pmigrate, or one of another version.");
        _place = magic.Length;
    }

    private async ValueTask FillAsync(Memory<byte> room, CancellationToken cancellationToken)
    {
        int read = await input.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        _place += read;
        if (read < room.Length)
            throw Damaged($"it ends at byte {_place}, in the middle");
    }

    private static MigrationException Damaged(string how) =>
        new(MigrationFault.ArchiveDamaged, $"The archive is damaged: {how}. Nothing of it was restored.");
}
