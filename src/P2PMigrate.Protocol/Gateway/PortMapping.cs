using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// A port of the gateway whose datagrams come to this peer: what the gateway granted, by which protocol, and as long as
/// when. It is renewed before it expires.
/// </summary>
public readonly record struct PortMapping(MappingProtocol Protocol, NetworkAddress External, Instant ExpiresAt)
{
    /// <summary>Who could reach it, as far as its address tells.</summary>
    // spec: PATH-55
    public ExternalReach Reach => ExternalReaches.Of(External);
}

/// <summary>From where an external address can be reached.</summary>
public enum ExternalReach
{
    /// <summary>From everywhere.</summary>
    Public,

    /// <summary>
    /// Only from the network behind which this gateway stands: it is itself behind a NAT (a second router, or the
    /// provider's), which nobody asked to map anything.
    /// </summary>
    Private,

    /// <summary>From nowhere: the gateway has no address outside, or does not tell the truth.</summary>
    Nowhere,
}

/// <summary>Sorts external addresses by what they are good for.</summary>
internal static class ExternalReaches
{
    /// <summary>Judges <paramref name="external"/>.</summary>
    public static ExternalReach Of(NetworkAddress external)
    {
        if (!external.IsUsable)
            return ExternalReach.Nowhere;
        Span<byte> bytes = stackalloc byte[16];
        return external.CopyAddressTo(bytes) == 4 ? OfV4(bytes) : OfV6(bytes);
    }

    private static ExternalReach OfV4(ReadOnlySpan<byte> address) => (address[0], address[1]) switch
    {
        (127, _) or (169, 254) => ExternalReach.Nowhere,
        (10, _) or (172, >= 16 and < 32) or (192, 168) or (100, >= 64 and < 128) => ExternalReach.Private,
        _ => ExternalReach.Public,
    };

    private static ExternalReach OfV6(ReadOnlySpan<byte> address) => address[0] switch
    {
        0 => ExternalReach.Nowhere, // loopback and everything embedded
        0xFE when (address[1] & 0xC0) == 0x80 => ExternalReach.Nowhere,
        0xFC or 0xFD => ExternalReach.Private,
        _ => ExternalReach.Public,
    };
}
