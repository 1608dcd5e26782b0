namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// How much one set of keys may do. Connections rekey long before the hard limits; at a hard limit they stop.
/// </summary>
/// <remarks>spec: HS-33, HS-34. The numbers are those of RFC 9001 section 6.6 for the suites it knows.</remarks>
public static class KeyLimits
{
    /// <summary>After so many packets sealed in one epoch, all paths together, the sender starts the next.</summary>
    public const ulong RekeyAfterPackets = 1UL << 22;

    /// <summary>After so long in one epoch the sender starts the next.</summary>
    public static readonly TimeSpan RekeyAfter = TimeSpan.FromSeconds(120);

    /// <summary>Packets that may be sealed in one epoch, all paths together; then the session ends.</summary>
    public static ulong MaxSealedPackets(ProtectionSuite suite) => suite == ProtectionSuite.Aes256Gcm ? 1UL << 23 : 1UL << 48;

    /// <summary>Packets that may fail to open in one session; then the session ends.</summary>
    public static ulong MaxForgedPackets(ProtectionSuite suite) => suite switch
    {
        ProtectionSuite.Aes256Gcm => 1UL << 52,
        ProtectionSuite.ChaCha20Poly1305 => 1UL << 36,
        _ => 1UL << 60,
    };
}
