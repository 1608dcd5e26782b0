using System.Security.Cryptography;
using NSec.Cryptography;
using P2PMigrate.Protocol.Connection;

namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// The keys of a session, epoch after epoch. Each epoch's secret is derived from the one before by HKDF and the one
/// before is forgotten, so that keys found in memory later open nothing sealed earlier. One owner, not thread-safe.
/// Whoever calls <see cref="Next"/> owns what it returns.
/// </summary>
/// <remarks>spec: HS-30, HS-32.</remarks>
public sealed class KeySchedule : IPacketKeySource
{
    /// <summary>Bytes of the secret of one direction.</summary>
    public const int SecretSize = 32;

    private readonly ProtectionSuite _suite;
    private readonly byte[] _sendSecret;
    private readonly byte[] _receiveSecret;

    /// <summary>Starts before epoch 0 with the two secrets that the handshake agreed on; copies them.</summary>
    public KeySchedule(ProtectionSuite suite, ReadOnlySpan<byte> sendSecret, ReadOnlySpan<byte> receiveSecret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sendSecret.Length, SecretSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(receiveSecret.Length, SecretSize);
        _suite = suite;
        _sendSecret = sendSecret.ToArray();
        _receiveSecret = receiveSecret.ToArray();
    }

    /// <summary>The suite of all epochs.</summary>
    public ProtectionSuite Suite => _suite;

    /// <summary>The epoch that the next call of <see cref="Next"/> makes; 0 at first.</summary>
    public uint NextEpoch { get; private set; }

    /// <summary>Makes the keys of the next epoch and moves on; the schedule cannot go back.</summary>
    public PacketKeys Next()
    {
        var keys = new PacketKeys(Derive(_sendSecret), Derive(_receiveSecret));
        NextEpoch++;
        Ratchet(_sendSecret);
        Ratchet(_receiveSecret);
        return keys;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_sendSecret);
        CryptographicOperations.ZeroMemory(_receiveSecret);
    }

    private PacketProtection Derive(ReadOnlySpan<byte> secret)
    {
        AeadAlgorithm algorithm = _suite.Algorithm();
        Span<byte> key = stackalloc byte[algorithm.KeySize];
        Span<byte> nonceBase = stackalloc byte[algorithm.NonceSize];
        KeyDerivationAlgorithm.HkdfSha256.Expand(secret, [.. "p2pmigrate 1 key "u8, (byte)_suite], key); // spec: HS-30
        KeyDerivationAlgorithm.HkdfSha256.Expand(secret, [.. "p2pmigrate 1 nonce "u8, (byte)_suite], nonceBase);
        var protection = new PacketProtection(_suite, key, nonceBase);
        CryptographicOperations.ZeroMemory(key);
        return protection;
    }

    private static void Ratchet(Span<byte> secret)
    {
        Span<byte> next = stackalloc byte[SecretSize];
        KeyDerivationAlgorithm.HkdfSha256.Expand(secret, "p2pmigrate 1 next epoch"u8, next); // spec: HS-32
        next.CopyTo(secret);
        CryptographicOperations.ZeroMemory(next);
    }
}
