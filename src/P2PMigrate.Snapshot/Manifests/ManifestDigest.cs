using System.Security.Cryptography;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>The name of a manifest: equal digests mean equal trees, content included. Chapter 10, SNAP-12.</summary>
public readonly record struct ManifestDigest
{
    /// <summary>Bytes in a digest.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private readonly ChunkId _value;

    private ManifestDigest(ChunkId value) => _value = value;

    /// <summary>Reads a digest; false when <paramref name="bytes"/> is not exactly <see cref="Size"/> long.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ManifestDigest digest)
    {
        bool isDigest = ChunkId.TryParse(bytes, out ChunkId value);
        digest = new ManifestDigest(value);
        return isDigest;
    }

    /// <summary>The bytes, to be sent or stored.</summary>
    public byte[] ToArray() => ((ReadOnlySpan<byte>)_value).ToArray();

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => _value.ToString();

    /// <summary>The digest of a tree: a hash over the hashes of its entries, so that an unchanged entry is hashed once in its life.</summary>
    internal static ManifestDigest Of(ReadOnlySpan<TreeEntry> entries)
    {
        // spec: SNAP-12
        byte[] digests = new byte[1 + (entries.Length * Size)];
        digests[0] = Manifest.Version;
        for (int index = 0; index < entries.Length; index++)
            entries[index].Digest.CopyTo(digests.AsSpan(1 + (index * Size)));
        return new ManifestDigest(ChunkId.Of(digests));
    }
}
