using System.Buffers.Binary;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// What the kernel has told of the machine's addresses: it tells them again whenever a router says how much longer they last,
/// which is no change. Bounded: beyond <see cref="MaxCount"/> everything is forgotten. One owner.
/// </summary>
internal sealed class KnownAddresses
{
    /// <summary>Addresses that are remembered.</summary>
    // spec: CONST-68
    public const int MaxCount = 1024;

    // struct ifaddrmsg: family, length of the prefix, flags, scope, interface. struct rtattr: length, type. RT_SCOPE_LINK.
    private const int MessageLength = 8, ScopeOffset = 3, AttributeHeader = 4, Alignment = 4;
    private const byte LinkScope = 253;

    // IFA_ADDRESS, IFA_LOCAL; IFA_CACHEINFO is how long it lasts.
    private const ushort Address = 1, Local = 2, Lifetime = 6;

    private readonly Dictionary<string, string> _known = [];

    /// <summary>Something went, or notices were lost: whatever is told next is news.</summary>
    public void Forget() => _known.Clear();

    /// <summary>An address is told, as the body of RTM_NEWADDR: is it new, or another than before? What cannot be read is.</summary>
    public bool IsNews(ReadOnlySpan<byte> body)
    {
        if (IsOfLink(body))
            return false;
        if (!TryRead(body, out string name, out string facts))
            return true;
        if (_known.TryGetValue(name, out string? before) && before == facts)
            return false;
        if (_known.Count >= MaxCount)
            _known.Clear();
        _known[name] = facts;
        return true;
    }

    /// <summary>Is it an address that leads nowhere but to the next machine, like the one of every container's interface?</summary>
    public static bool IsOfLink(ReadOnlySpan<byte> body) => body.Length > MessageLength && body[ScopeOffset] == LinkScope;

    private static bool TryRead(ReadOnlySpan<byte> body, out string name, out string facts)
    {
        (name, facts) = ("", "");
        if (body.Length <= MessageLength)
            return false;
        facts = Convert.ToHexString(body[..MessageLength]);
        name = $"{body[0]}/{BinaryPrimitives.ReadUInt32LittleEndian(body[(MessageLength - sizeof(uint))..])}";
        for (ReadOnlySpan<byte> rest = body[MessageLength..]; !rest.IsEmpty;)
        {
            int length = rest.Length < AttributeHeader ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length < AttributeHeader || length > rest.Length)
                return false;
            ushort type = BinaryPrimitives.ReadUInt16LittleEndian(rest[sizeof(ushort)..]);
            string attribute = Convert.ToHexString(rest[..length]);
            if (type is Address or Local)
                name += attribute;
            else if (type != Lifetime)
                facts += attribute;
            rest = rest[Math.Min((length + Alignment - 1) & -Alignment, rest.Length)..];
        }

        return true;
    }
}
