using System.Security.Cryptography;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>From the end of a Noise handshake to the key schedule of its session.</summary>
internal static class SessionKeys
{
    /// <summary>Splits <paramref name="noise"/> and hands each direction its secret.</summary>
    public static KeySchedule Derive(NoiseHandshake noise, ConnectionRole role, ProtectionSuite suite)
    {
        Span<byte> initiator = stackalloc byte[KeySchedule.SecretSize];
        Span<byte> responder = stackalloc byte[KeySchedule.SecretSize];
        noise.Split(initiator, responder); // spec: HS-30
        KeySchedule keys = role == ConnectionRole.Initiator ? new(suite, initiator, responder) : new(suite, responder, initiator);
        CryptographicOperations.ZeroMemory(initiator);
        CryptographicOperations.ZeroMemory(responder);
        return keys;
    }
}
