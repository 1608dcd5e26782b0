using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2PMigrate.Migration.Archives;

/// <summary>What blocks of an archive look like, and the chain of their digests. One owner.</summary>
// spec: ARC-01, ARC-02
internal sealed class ArchiveBlocks : IDisposable
{
    /// <summary>Most bytes in a block.</summary>
    // spec: CONST-430
    public const int BlockLength = 1 << 20;

    /// <summary>Bytes before a block.</summary>
    public const int PrefixLength = sizeof(uint);

    /// <summary>Bytes behind it.</summary>
    public const int DigestLength = SHA256.HashSizeInBytes;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _last = SHA256.HashData(Magic);

    /// <summary>What an archive begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "P2PMARC\u0001"u8;

    /// <summary>The digest of the next block, which <paramref name="prefix"/> and <paramref name="content"/> make up. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Next(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> content)
    {
        _hash.AppendData(_last);
        _hash.AppendData(prefix);
        _hash.AppendData(content);
        _hash.GetHashAndReset(_last);
        return _last;
    }

    /// <summary>The field before a block of so many bytes.</summary>
    public static void WritePrefix(Span<byte> prefix, int length) => BinaryPrimitives.WriteUInt32LittleEndian(prefix, (uint)length);

    /// <summary>The length that a block announces, which may be anything.</summary>
    public static uint ReadPrefix(ReadOnlySpan<byte> prefix) => BinaryPrimitives.ReadUInt32LittleEndian(prefix);

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
