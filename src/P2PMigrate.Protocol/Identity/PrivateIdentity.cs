using System.Security.Cryptography;
using NSec.Cryptography;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// This peer's long-lived X25519 key pair. Whoever holds it is the peer. The driver stores the 32 raw bytes in a file
/// that only its user may read; nothing else in the protocol exports them. Disposing wipes the key from memory.
/// </summary>
/// <remarks>spec: ID-01.</remarks>
public sealed class PrivateIdentity : IDisposable
{
    /// <summary>Bytes of a private key.</summary>
    public const int Size = 32;

    private readonly Key _key;

    private PrivateIdentity(Key key)
    {
        _key = key;
        PublicIdentity.TryCreate(key.PublicKey.Export(KeyBlobFormat.RawPublicKey), out PublicIdentity? identity);
        Public = identity!;
    }

    /// <summary>The half that others may know.</summary>
    public PublicIdentity Public { get; }

    /// <summary>This peer's name.</summary>
    public PeerId PeerId => Public.PeerId;

    /// <summary>A new key pair.</summary>
    public static PrivateIdentity Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        PrivateIdentity identity = Import(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return identity;
    }

    /// <summary>The key pair whose private half was exported earlier; throws for anything but 32 bytes.</summary>
    public static PrivateIdentity Import(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        var parameters = new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        return new PrivateIdentity(Key.Import(KeyAgreementAlgorithm.X25519, bytes, KeyBlobFormat.RawPrivateKey, parameters));
    }

    /// <summary>Writes the private half, for storage where only its owner can read it. The caller wipes the bytes.</summary>
    public void Export(Span<byte> destination) => _key.TryExport(KeyBlobFormat.RawPrivateKey, destination[..Size], out _);

    /// <summary>
    /// The X25519 shared secret with the holder of <paramref name="peer"/>. False for a public key of low order, with
    /// which every secret would be the same.
    /// </summary>
    internal bool TryAgree(PublicIdentity peer, Span<byte> secret)
    {
        var parameters = new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        using SharedSecret? agreed = KeyAgreementAlgorithm.X25519.Agree(_key, peer.Key, parameters);
        return agreed is not null // spec: ID-04
            && agreed.TryExport(SharedSecretBlobFormat.RawSharedSecret, secret, out _);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>The peer id in text; never the key.</summary>
    public override string ToString() => PeerId.ToString();
}
