using NSec.Cryptography;

namespace P2PMigrate.Protocol.Protection;

/// <summary>The AEAD that protects packets; chosen in the handshake, whose authentication covers the choice.</summary>
public enum ProtectionSuite : byte
{
    /// <summary>AEGIS-128L with a 32-byte tag: the fastest where AES instructions exist.</summary>
    Aegis128L = 1,

    /// <summary>AES-256-GCM: for those who want a NIST algorithm. Needs AES instructions.</summary>
    Aes256Gcm = 2,

    /// <summary>ChaCha20-Poly1305: fast everywhere.</summary>
    ChaCha20Poly1305 = 3,
}

/// <summary>What this machine can do, and how the two sides agree.</summary>
public static class ProtectionSuites
{
    /// <summary>The most suites that an offer may list; more are ignored.</summary>
    public const int MaxOffered = 8;

    /// <summary>
    /// The suites that this machine runs at full speed, best first. Without AES instructions it is ChaCha20-Poly1305 alone:
    /// AES and AEGIS in software would be slow for this side whatever the peer has.
    /// </summary>
    public static IReadOnlyList<ProtectionSuite> Supported { get; } = HasAesInstructions && Aes256Gcm.IsSupported
        ? [ProtectionSuite.Aegis128L, ProtectionSuite.Aes256Gcm, ProtectionSuite.ChaCha20Poly1305]
        : [ProtectionSuite.ChaCha20Poly1305];

    private static bool HasAesInstructions => System.Runtime.Intrinsics.X86.Aes.IsSupported || System.Runtime.Intrinsics.Arm.Aes.IsSupported;

    /// <summary>The responder's choice: the first suite of the initiator's list that it supports too.</summary>
    public static bool TryChoose(ReadOnlySpan<ProtectionSuite> offered, IReadOnlyList<ProtectionSuite> supported, out ProtectionSuite chosen)
    {
        foreach (ProtectionSuite suite in offered)
        {
            if (supported.Contains(suite))
            {
                chosen = suite;
                return true;
            }
        }

        chosen = default;
        return false;
    }

    internal static AeadAlgorithm Algorithm(this ProtectionSuite suite) => suite switch
    {
        ProtectionSuite.Aegis128L => AeadAlgorithm.Aegis128L,
        ProtectionSuite.Aes256Gcm => AeadAlgorithm.Aes256Gcm,
        ProtectionSuite.ChaCha20Poly1305 => AeadAlgorithm.ChaCha20Poly1305,
        _ => throw new ArgumentOutOfRangeException(nameof(suite)),
    };
}
