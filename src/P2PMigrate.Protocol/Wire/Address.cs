using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// An IP address and a UDP port, as a value: comparable, hashable, without allocation. IPv4 is kept in its IPv6-mapped
/// form, so that an address seen on a dual-mode socket equals the same address written in dotted form.
/// </summary>
public readonly record struct Address(UInt128 Ip, ushort Port)
{
    /// <summary>The longest form on the wire: family, 16 bytes, port.</summary>
    public const int MaxSize = 19;

    private const byte FamilyV4 = 4;
    private const byte FamilyV6 = 6;

    private static readonly UInt128 s_mappedPrefix = (UInt128)0xffff << 32;

    /// <summary>Is it an IPv4 address?</summary>
    public bool IsIPv4 => (Ip >> 32) == 0xffff;

    /// <summary>Neither an IP nor a port: "no address".</summary>
    public bool IsNone => Ip == UInt128.Zero && Port == 0;

    /// <summary>Could a datagram be sent there? True for a unicast IP with a port.</summary>
    public bool IsUsable => Port != 0 && (IsIPv4 ? IsUsableV4((uint)Ip) : Ip > UInt128.One && (byte)(Ip >> 120) != 0xff);

    /// <summary>Bytes this address takes on the wire.</summary>
    public int Size => IsIPv4 ? 7 : MaxSize;

    /// <summary>The address behind an <see cref="IPEndPoint"/>.</summary>
    public static Address From(IPEndPoint endPoint) => From(endPoint.Address, (ushort)endPoint.Port);

    /// <summary>The address made of an <see cref="IPAddress"/> and a port.</summary>
    public static Address From(IPAddress ip, ushort port)
    {
        Span<byte> bytes = stackalloc byte[16];
        ip.TryWriteBytes(bytes, out int length);
        return length == 4
            ? new(s_mappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes), port)
            : new(BinaryPrimitives.ReadUInt128BigEndian(bytes), port);
    }

    /// <summary>Reads <c>1.2.3.4:5</c> or <c>[2001:db8::1]:5</c>; a port is required.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Address address)
    {
        address = default;
        if (!IPEndPoint.TryParse(text ?? "", out IPEndPoint? endPoint) || endPoint.Port == 0)
        {
            return false;
        }

        address = From(endPoint);
        return true;
    }

    /// <summary>The same address as the framework's class; IPv4 in its own family.</summary>
    public IPEndPoint ToIPEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Ip);
        return new IPEndPoint(new IPAddress(IsIPv4 ? bytes[12..] : bytes), Port);
    }

    /// <summary>Writes family, IP (network order) and port (little-endian); returns <see cref="Size"/>.</summary>
    public int Write(Span<byte> destination)
    {
        int ipSize = IsIPv4 ? 4 : 16;
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Ip);
        destination[0] = IsIPv4 ? FamilyV4 : FamilyV6;
        bytes[^ipSize..].CopyTo(destination[1..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[(1 + ipSize)..], Port);
        return 1 + ipSize + 2;
    }

    /// <summary>
    /// Reads what <see cref="Write"/> wrote and says how many bytes it took. An IPv4 address in the IPv6 form is
    /// refused, so that each address has one encoding.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out Address address, out int consumed, out Refusal refusal)
    {
        address = default;
        consumed = 0;
        if (source.IsEmpty)
        {
            refusal = Refusal.Truncated;
            return false;
        }

        int ipSize = source[0] == FamilyV4 ? 4 : 16;
        refusal = source[0] is not (FamilyV4 or FamilyV6) ? Refusal.BadValue
            : source.Length < 1 + ipSize + 2 ? Refusal.Truncated
            : Refusal.None;
        if (refusal != Refusal.None)
        {
            return false;
        }

        UInt128 ip = ipSize == 4
            ? s_mappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(source[1..])
            : BinaryPrimitives.ReadUInt128BigEndian(source[1..]);
        address = new Address(ip, BinaryPrimitives.ReadUInt16LittleEndian(source[(1 + ipSize)..]));
        consumed = 1 + ipSize + 2;
        refusal = ipSize == 16 && address.IsIPv4 ? Refusal.BadValue : Refusal.None;
        return refusal == Refusal.None;
    }

    /// <inheritdoc/>
    public override string ToString() => ToIPEndPoint().ToString();

    private static bool IsUsableV4(uint ip) => (byte)(ip >> 24) is > 0 and < 224;
}
