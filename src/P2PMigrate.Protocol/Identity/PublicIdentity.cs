using System.Diagnostics.CodeAnalysis;
using NSec.Cryptography;

namespace P2PMigrate.Protocol.Identity;

/// <summary>A peer's X25519 public key: what others need to address it and to know it again. Immutable.</summary>
/// <remarks>spec: ID-01, ID-04.</remarks>
public sealed class PublicIdentity : IEquatable<PublicIdentity>
{
    /// <summary>Bytes of a public key.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes;

    private PublicIdentity(PublicKey key, byte[] bytes)
    {
        Key = key;
        _bytes = bytes;
        PeerId = PeerId.Of(bytes);
    }

    /// <summary>The name of the peer that holds the private half.</summary>
    public PeerId PeerId { get; }

    /// <summary>The raw key.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    internal PublicKey Key { get; }

    /// <summary>Takes a raw key. False for another length and for the all-zero key, which nobody can own.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicIdentity? identity)
    {
        identity = null;
        if (bytes.Length != Size || bytes.IndexOfAnyExcept((byte)0) < 0
            || !PublicKey.TryImport(KeyAgreementAlgorithm.X25519, bytes, KeyBlobFormat.RawPublicKey, out PublicKey? key) || key is null)
        {
            return false;
        }

        identity = new PublicIdentity(key, bytes.ToArray());
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(PublicIdentity? other) => other is not null && PeerId == other.PeerId;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PublicIdentity);

    /// <inheritdoc/>
    public override int GetHashCode() => PeerId.GetHashCode();

    /// <summary>The peer id in text.</summary>
    public override string ToString() => PeerId.ToString();
}
