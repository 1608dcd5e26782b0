using System.Security.Cryptography;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The 16-byte codes of handshake datagrams: HMAC-SHA256, cut to half. Mac 1 is keyed with the receiver's public key: it
/// proves only that the sender knows whom it talks to, so that a scanner of ports gets silence. Mac 2 is keyed with a
/// cookie: it proves that the sender gets what is sent to its address.
/// </summary>
/// <remarks>spec: HS-13, HS-14.</remarks>
internal static class MessageMac
{
    /// <summary>Bytes of a code.</summary>
    public const int Size = 16;

    /// <summary>The key of mac 1 in messages to the holder of <paramref name="receiver"/>.</summary>
    public static byte[] KeyFor(PublicIdentity receiver) => SHA256.HashData([.. "p2pmigrate 1 mac1 "u8, .. receiver.Bytes]);

    /// <summary>Writes the code of <paramref name="message"/>.</summary>
    public static void Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, full);
        full[..Size].CopyTo(mac);
    }

    /// <summary>Is <paramref name="mac"/> the code of <paramref name="message"/>? Takes the same time for every answer.</summary>
    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac)
    {
        Span<byte> expected = stackalloc byte[Size];
        Compute(key, message, expected);
        return CryptographicOperations.FixedTimeEquals(expected, mac);
    }
}
