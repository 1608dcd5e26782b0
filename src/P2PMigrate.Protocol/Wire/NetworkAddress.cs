using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// An IP address and a UDP port as a plain value: no heap, no sockets. IPv4-mapped IPv6 addresses become IPv4, so one
/// address has one representation whatever kind of socket saw it. <c>default</c> means "no address".
/// </summary>
public readonly record struct NetworkAddress
{
    /// <summary>Longest encoding: family, 16 address bytes, port.</summary>
    public const int MaxEncodedLength = 1 + 16 + 2;

    private const ulong StreamPrefix = 0x0100_0000_0000_0000;

    // IPv6: the address in network order as two big-endian words. IPv4: zero and the 32-bit address.
    private readonly ulong _high;
    private readonly ulong _low;

    private NetworkAddress(IpFamily family, ulong high, ulong low, ushort port)
    {
        Family = family;
        Port = port;
        _high = high;
        _low = low;
    }

    /// <summary>Which internet protocol the address belongs to.</summary>
    public IpFamily Family { get; }

    /// <summary>The UDP port.</summary>
    public ushort Port { get; }

    /// <summary>Is this <c>default</c>?</summary>
    public bool IsNone => Family == IpFamily.None;

    /// <summary>
    /// Is it the name of a stream that carries datagrams (100::/64, which the internet discards)? Whoever owns the stream can send
    /// there, nobody else can.
    /// </summary>
    // spec: RLY-13
    public bool IsStream => Family == IpFamily.V6 && _high == StreamPrefix;

    /// <summary>Could a datagram be sent there? True for a unicast address with a port.</summary>
    public bool IsUsable => Port != 0 && !IsStream && Family switch
    {
        IpFamily.V4 => (byte)(_low >> 24) is > 0 and < 224,
        IpFamily.V6 => (byte)(_high >> 56) != 0xFF && (_high != 0 || _low != 0),
        _ => false,
    };

    /// <summary>Bytes of the IP address: 4, 16, or 0 for none.</summary>
    public int AddressLength => Family switch { IpFamily.V4 => 4, IpFamily.V6 => 16, _ => 0 };

    /// <summary>Bytes that <see cref="Encode"/> writes.</summary>
    public int EncodedLength => 1 + AddressLength + sizeof(ushort);

    /// <summary>Makes an address from 4 or 16 bytes in network order. Throws for another length: the bytes are ours.</summary>
    public static NetworkAddress FromBytes(ReadOnlySpan<byte> address, ushort port) => address.Length switch
    {
        4 => new(IpFamily.V4, 0, BinaryPrimitives.ReadUInt32BigEndian(address), port),
        16 => FromWords(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port),
        _ => throw new ArgumentException("An IP address has 4 or 16 bytes.", nameof(address)),
    };

    /// <summary>Converts from the framework's type. The scope of a link-local address is not kept.</summary>
    public static NetworkAddress From(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return FromBytes(bytes[..length], checked((ushort)port));
    }

    /// <summary>Converts from the framework's type. The scope of a link-local address is not kept.</summary>
    public static NetworkAddress From(IPEndPoint endPoint) => From(endPoint.Address, endPoint.Port);

    /// <summary>The name of stream <paramref name="number"/> of <paramref name="host"/>: streams of one host differ in the port only.</summary>
    // spec: RLY-13
    public static NetworkAddress ForStream(NetworkAddress host, ushort number) =>
        new(IpFamily.V6, StreamPrefix, host.Family == IpFamily.V6 ? host._high : host._low, number);

    /// <summary>Reads <c>192.0.2.1:443</c> or <c>[2001:db8::1]:443</c>. No names are resolved.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NetworkAddress address)
    {
        bool isAddress = IPEndPoint.TryParse(text ?? "", out IPEndPoint? endPoint) && endPoint.Port != 0;
        address = isAddress ? From(endPoint!) : default;
        return isAddress;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; false for anything else: port 0 and IPv4-mapped IPv6 included.</summary>
    // spec: PKT-30
    public static bool TryDecode(ref WireReader reader, out NetworkAddress address)
    {
        address = default;
        if (!reader.TryReadByte(out byte family) || family is not ((byte)IpFamily.V4 or (byte)IpFamily.V6))
            return false;
        if (!reader.TryReadBytes(family == (byte)IpFamily.V4 ? 4 : 16, out ReadOnlySpan<byte> bytes))
            return false;
        if (!reader.TryReadUInt16(out ushort port) || port == 0)
            return false;
        address = FromBytes(bytes, port);
        return (byte)address.Family == family;
    }

    /// <summary>Writes family (4 or 6), address in network order, port.</summary>
    public void Encode(ref WireWriter writer)
    {
        Span<byte> bytes = stackalloc byte[16];
        writer.WriteByte((byte)Family);
        writer.WriteBytes(bytes[..CopyAddressTo(bytes)]);
        writer.WriteUInt16(Port);
    }

    /// <summary>
    /// Whoever is there, without a port: of IPv4 the host, of IPv6 its network of 64 bits, in which a host chooses its addresses freely. Of a
    /// stream it is that of the host that the stream is named after, so that one who comes by streams and datagrams is one.
    /// </summary>
    // spec: RLY-13
    public NetworkAddress ToNetwork() =>
        IsStream ? (IsOfV4Host ? new(IpFamily.V4, 0, _low, 0) : new(IpFamily.V6, _low, 0, 0))
        : Family == IpFamily.V6 ? new(Family, _high, 0, 0)
        : WithPort(0);

    /// <summary>Whoever shares an uplink: of IPv6 the network of 56 bits, which is what a home gets; of IPv4 the host itself.</summary>
    // spec: RDV-51
    public NetworkAddress ToSite() => ToNetwork().WithoutLast(8);

    /// <summary>The largest network that one customer gets, in which others have thousands of them: of IPv6 48 bits; of IPv4 the host itself.</summary>
    // spec: RDV-51
    public NetworkAddress ToArea() => ToNetwork().WithoutLast(16);

    private NetworkAddress WithoutLast(int bitsOfNetwork) => Family == IpFamily.V6 ? new(IpFamily.V6, _high >> bitsOfNetwork << bitsOfNetwork, 0, 0) : this;

    // No network of IPv6 in use begins with 32 zero bits but that of the unspecified and the loopback address, which is all zeros.
    private bool IsOfV4Host => _low is > 0 and <= uint.MaxValue;

    /// <summary>Copies the IP address in network order and returns its length.</summary>
    public int CopyAddressTo(Span<byte> destination)
    {
        if (Family == IpFamily.V4)
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
        else if (Family == IpFamily.V6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        }

        return AddressLength;
    }

    /// <summary>Do both have the same IP address, whatever their ports?</summary>
    public bool HasSameHost(NetworkAddress other) => (Family, _high, _low) == (other.Family, other._high, other._low);

    /// <summary>The same IP address with another port.</summary>
    public NetworkAddress WithPort(ushort port) => new(Family, _high, _low, port);

    /// <summary>The framework's type for the IP address; throws for <c>default</c>.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..CopyAddressTo(bytes)]);
    }

    /// <summary>The framework's type; throws for <c>default</c>.</summary>
    public IPEndPoint ToEndPoint() => new(ToIPAddress(), Port);

    /// <inheritdoc/>
    public override string ToString() => Family switch
    {
        IpFamily.V4 => string.Create(CultureInfo.InvariantCulture, $"{ToIPAddress()}:{Port}"),
        IpFamily.V6 => string.Create(CultureInfo.InvariantCulture, $"[{ToIPAddress()}]:{Port}"),
        _ => "none",
    };

    private static NetworkAddress FromWords(ulong high, ulong low, ushort port)
    {
        bool isMapped = high == 0 && low >> 32 == 0xFFFF;
        return isMapped ? new(IpFamily.V4, 0, (uint)low, port) : new(IpFamily.V6, high, low, port);
    }
}

/// <summary>Internet protocol versions; the values are those on the wire.</summary>
public enum IpFamily : byte
{
    /// <summary>No address.</summary>
    None = 0,

    /// <summary>IPv4.</summary>
    V4 = 4,

    /// <summary>IPv6.</summary>
    V6 = 6,
}
