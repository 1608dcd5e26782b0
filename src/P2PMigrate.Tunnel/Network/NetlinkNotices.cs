using System.Buffers.Binary;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Reads rtnetlink notices as far as it takes to tell a change of the machine's ways from noise: statistics of a wireless
/// card, the kernel's own tables, addresses that are as they were.
/// </summary>
internal static class NetlinkNotices
{
    /// <summary>RTMGRP_LINK, and RTMGRP_IPV4_IFADDR, _ROUTE, RTMGRP_IPV6_IFADDR, _ROUTE.</summary>
    public const uint Groups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    // struct nlmsghdr: length, type, flags, sequence, port.
    private const int HeaderLength = 16, TypeOffset = 4, Alignment = 4;

    // RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE.
    private const ushort NewLink = 16, DeletedLink = 17, NewAddress = 20, DeletedAddress = 21, NewRoute = 24, DeletedRoute = 25;

    // struct ifinfomsg: which flags changed is its last word. IFF_UP, IFF_RUNNING, IFF_LOWER_UP.
    private const int ChangeOffset = 12;
    private const uint UpFlags = 0x1 | 0x40 | 0x10000;

    // struct rtmsg: the table is its fifth byte, the type its eighth, the flags its last word. RT_TABLE_LOCAL, RTN_UNICAST, RTM_F_CLONED.
    private const int TableOffset = 4, RouteTypeOffset = 7, RouteFlagsOffset = 8, RouteLength = 12;
    private const byte LocalTable = 255, Unicast = 1;
    private const uint Cloned = 0x200;

    /// <summary>Does one of the messages in <paramref name="notices"/> tell of a change? What cannot be read does.</summary>
    public static bool TellOfChange(ReadOnlySpan<byte> notices, KnownAddresses known)
    {
        bool isChange = false;
        while (notices.Length >= HeaderLength)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(notices);
            if (length < HeaderLength || length > (uint)notices.Length)
            {
                known.Forget();
                return true;
            }

            isChange |= TellsOfChange(BinaryPrimitives.ReadUInt16LittleEndian(notices[TypeOffset..]), notices[HeaderLength..(int)length], known);
            int aligned = ((int)length + Alignment - 1) & -Alignment;
            notices = notices[Math.Min(aligned, notices.Length)..];
        }

        return isChange;
    }

    private static bool TellsOfChange(ushort type, ReadOnlySpan<byte> body, KnownAddresses known)
    {
        if (type == NewAddress)
            return known.IsNews(body);
        bool isChange = type switch
        {
            DeletedAddress => !KnownAddresses.IsOfLink(body),
            DeletedLink => true,
            NewLink => body.Length < ChangeOffset + sizeof(uint) || (BinaryPrimitives.ReadUInt32LittleEndian(body[ChangeOffset..]) & UpFlags) != 0,
            NewRoute or DeletedRoute => body.Length < RouteLength || IsWay(body),
            _ => false,
        };
        if (isChange && type is DeletedAddress or DeletedLink or NewLink)
            known.Forget();
        return isChange;
    }

    private static bool IsWay(ReadOnlySpan<byte> route) =>
        route[TableOffset] != LocalTable && route[RouteTypeOffset] == Unicast
        && (BinaryPrimitives.ReadUInt32LittleEndian(route[RouteFlagsOffset..]) & Cloned) == 0;
}
