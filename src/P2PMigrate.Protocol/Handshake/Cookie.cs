using System.Security.Cryptography;
using NSec.Cryptography;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// Seals cookies on their way to an initiator: XChaCha20-Poly1305 under a key made of the responder's public key, bound to
/// mac 1 of the message that caused the reply. So a cookie reaches only who sent that message to that responder.
/// </summary>
/// <remarks>spec: HS-15.</remarks>
internal static class Cookie
{
    /// <summary>Bytes of a cookie.</summary>
    public const int Size = MessageMac.Size;

    /// <summary>Bytes of the nonce in the reply.</summary>
    public const int NonceSize = 24;

    /// <summary>Bytes that sealing adds.</summary>
    public const int TagSize = 16;

    private static readonly AeadAlgorithm s_cipher = AeadAlgorithm.XChaCha20Poly1305;

    /// <summary>Writes the reply to the message with that <paramref name="mac1"/>.</summary>
    public static void WriteReply(
        Span<byte> reply, ConnectionId initiator, PublicIdentity responder, ReadOnlySpan<byte> mac1, ReadOnlySpan<byte> cookie, IEntropy entropy)
    {
        HandshakeHeader.Write(reply, FirstByte.CookieReply, initiator);
        Span<byte> nonce = reply[CookieReply.NonceOffset..CookieReply.SealedOffset];
        entropy.Fill(nonce);
        using Key key = SealingKey(responder);
        s_cipher.Encrypt(key, nonce, mac1, cookie, reply[CookieReply.SealedOffset..CookieReply.Size]);
    }

    /// <summary>Takes the cookie out of a reply whose header was read already.</summary>
    public static bool TryReadReply(ReadOnlySpan<byte> reply, PublicIdentity responder, ReadOnlySpan<byte> mac1, Span<byte> cookie)
    {
        using Key key = SealingKey(responder);
        return s_cipher.Decrypt(key, reply[CookieReply.NonceOffset..CookieReply.SealedOffset], mac1, reply[CookieReply.SealedOffset..], cookie);
    }

    private static Key SealingKey(PublicIdentity responder) =>
        Key.Import(s_cipher, SHA256.HashData([.. "p2pmigrate 1 cookie "u8, .. responder.Bytes]), KeyBlobFormat.RawSymmetricKey);
}
