using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// What shows that a STUN message is whole and whose it is. The algorithms are those of the standard, and weak by today's
/// measure: nothing but the use of a relay hangs on them.
/// </summary>
internal static class StunIntegrity
{
    /// <summary>Bytes of HMAC-SHA1.</summary>
    public const int Size = HMACSHA1.HashSizeInBytes;

    /// <summary>Bytes of a key.</summary>
    public const int KeySize = MD5.HashSizeInBytes;

    private const uint FingerprintMask = 0x5354554E;
    private const int AttributeHeader = 4;

    /// <summary>The key of long-term credentials: MD5 of name, realm, as the server says it, and password (RFC 8489, section 9.2.2).</summary>
    // spec: TURN-03
    public static byte[] LongTermKey(string username, ReadOnlySpan<byte> realm, string password)
    {
#pragma warning disable CA5351 // The standard's, for a server that stores this value.
        return MD5.HashData([.. Encoding.UTF8.GetBytes($"{username}:"), .. realm, .. Encoding.UTF8.GetBytes($":{Composed(password)}")]);
#pragma warning restore CA5351
    }

    /// <summary>
    /// Computes the integrity of a message whose attribute begins at <paramref name="at"/>: of the bytes before, with a length
    /// in the header as if the message ended behind the attribute.
    /// </summary>
    public static void Compute(ReadOnlySpan<byte> message, int at, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        Span<byte> header = stackalloc byte[StunMessage.HeaderSize];
        message[..StunMessage.HeaderSize].CopyTo(header);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(at + AttributeHeader + Size - StunMessage.HeaderSize));
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, key);
        hash.AppendData(header);
        hash.AppendData(message[StunMessage.HeaderSize..at]);
        hash.GetHashAndReset(destination);
    }

    /// <summary>Does the attribute at <paramref name="at"/> hold what it should? Takes as long for any wrong one.</summary>
    public static bool Verify(ReadOnlySpan<byte> message, int at, ReadOnlySpan<byte> key)
    {
        Span<byte> expected = stackalloc byte[Size];
        if (BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]) != Size)
            return false;
        Compute(message, at, key, expected);
        return CryptographicOperations.FixedTimeEquals(expected, message.Slice(at + AttributeHeader, Size));
    }

    /// <summary>The fingerprint of what stands before <paramref name="at"/>.</summary>
    public static uint Fingerprint(ReadOnlySpan<byte> message, int at) => Crc32(message[..at]) ^ FingerprintMask;

    /// <summary>Is <paramref name="value"/> the fingerprint of the message, whose last attribute, at <paramref name="at"/>, it is?</summary>
    public static bool IsFingerprint(ReadOnlySpan<byte> message, int at, ReadOnlySpan<byte> value) =>
        value.Length == sizeof(uint) && at + AttributeHeader + sizeof(uint) == message.Length
        && BinaryPrimitives.ReadUInt32BigEndian(value) == Fingerprint(message, at);

    private static string Composed(string password)
    {
        try
        {
            return password.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            return password; // No text that could be composed.
        }
    }

    // Bit by bit: messages with a fingerprint are few and short.
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        return ~crc;
    }
}
