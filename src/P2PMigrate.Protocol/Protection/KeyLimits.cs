namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// How much one key may ever do. Connections move to the next epoch long before; at the limit a key refuses to work.
/// </summary>
/// <remarks>The numbers are those of RFC 9001 section 6.6 for the suites it knows. spec: HS-33, HS-34</remarks>
public static class KeyLimits
{
    /// <summary>Packets that one key may seal, all paths together.</summary>
    public static ulong MaxSealedPackets(ProtectionSuite suite) => suite == ProtectionSuite.Aes256Gcm ? 1UL << 23 : 1UL << 48;

    /// <summary>Packets that one key may fail to open.</summary>
    public static ulong MaxForgedPackets(ProtectionSuite suite) => suite == ProtectionSuite.Aegis128L ? 1UL << 60 : 1UL << 36;
}
