using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace P2PMigrate.Snapshot;

/// <summary>The name of a chunk: the SHA-256 digest of its (uncompressed) content. Equal names mean equal content.</summary>
[InlineArray(Size)]
public struct ChunkId : IEquatable<ChunkId>
{
    /// <summary>Bytes in a digest.</summary>
    public const int Size = 32;

    private byte _element;

    /// <summary>The name of <paramref name="content"/>.</summary>
    public static ChunkId Of(ReadOnlySpan<byte> content)
    {
        ChunkId id = default;
        SHA256.HashData(content, id);
        return id;
    }

    /// <summary>Reads a digest; false when <paramref name="bytes"/> is not exactly <see cref="Size"/> long.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ChunkId id)
    {
        id = default;
        return bytes.Length == Size && bytes.TryCopyTo(id);
    }

    /// <inheritdoc/>
    public readonly bool Equals(ChunkId other) => ((ReadOnlySpan<byte>)this).SequenceEqual(other);

    /// <inheritdoc/>
    public override readonly bool Equals([NotNullWhen(true)] object? obj) => obj is ChunkId other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => Unsafe.ReadUnaligned<int>(in this[0]);

    /// <summary>Lower-case hexadecimal.</summary>
    public override readonly string ToString() => Convert.ToHexStringLower(this);

    /// <summary>Same digest?</summary>
    public static bool operator ==(ChunkId left, ChunkId right) => left.Equals(right);

    /// <summary>Different digest?</summary>
    public static bool operator !=(ChunkId left, ChunkId right) => !left.Equals(right);
}
