using System.Security.Cryptography;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The secret that a registered client and its server share: HKDF over the X25519 secret of the client's identity key
/// and the server's short-lived challenge key. Only the holder of one of the two private keys can know it, so a code made
/// with it proves the identity. The code is always the last 16 bytes of a message.
/// </summary>
/// <remarks>spec: RDV-05, RDV-06.</remarks>
internal sealed class RegistrationKey
{
    private const int Size = 32;

    private readonly byte[] _key = new byte[Size];

    private RegistrationKey()
    {
    }

    /// <summary>The client's and the server's way to the same key; false for a public key of low order.</summary>
    public static bool TryDerive(PrivateIdentity own, PublicIdentity other, PublicIdentity client, PublicIdentity challenge, out RegistrationKey key)
    {
        key = new RegistrationKey();
        Span<byte> secret = stackalloc byte[PublicIdentity.Size];
        if (!own.TryAgree(other, secret))
        {
            return false;
        }

        ReadOnlySpan<byte> info = [.. "p2pmigrate 1 registration "u8, .. client.Bytes, .. challenge.Bytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key._key, [], info);
        CryptographicOperations.ZeroMemory(secret);
        return true;
    }

    /// <summary>Writes the code over everything before the last 16 bytes of <paramref name="message"/> into them.</summary>
    public void Seal(Span<byte> message) => MessageMac.Compute(_key, message[..^MessageMac.Size], message[^MessageMac.Size..]);

    /// <summary>Is the code at the end of <paramref name="message"/> right?</summary>
    public bool Verify(ReadOnlySpan<byte> message) => MessageMac.Verify(_key, message[..^MessageMac.Size], message[^MessageMac.Size..]);
}
