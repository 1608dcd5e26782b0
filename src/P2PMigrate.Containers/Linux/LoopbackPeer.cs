using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Containers.Linux;

/// <summary>Who is at the other end of a TCP connection within this machine, as the kernel's table of sockets tells.</summary>
internal static class LoopbackPeer
{
    private const string Table = "/proc/net/tcp";
    private const int LocalColumn = 1;
    private const int RemoteColumn = 2;
    private const int UserColumn = 7;
    private const int InodeColumn = 9;
    private const string NoInode = "0";

    /// <summary>
    /// Does the socket bound to <paramref name="peer"/> and connected to <paramref name="ours"/> belong to the user we run as? One that was closed already belongs to nobody, although
    /// the table then says user 0.
    /// </summary>
    public static bool IsOurUser(IPEndPoint peer, IPEndPoint ours) =>
        Row(peer, ours) is { } columns && columns[InodeColumn] != NoInode && uint.TryParse(columns[UserColumn], CultureInfo.InvariantCulture, out uint user) && user == Native.EffectiveUser();

    /// <summary>The inode by which /proc/PID/fd names that socket, or null when it is gone.</summary>
    public static ulong? InodeOf(IPEndPoint peer, IPEndPoint ours) =>
        Row(peer, ours) is { } columns && ulong.TryParse(columns[InodeColumn], CultureInfo.InvariantCulture, out ulong inode) ? inode : null;

    private static string[]? Row(IPEndPoint peer, IPEndPoint ours)
    {
        string local = Format(peer), remote = Format(ours);
        foreach (string line in File.ReadLines(Table).Skip(1))
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > InodeColumn && columns[LocalColumn] == local && columns[RemoteColumn] == remote) return columns;
        }

        return null;
    }

    /// <summary>The kernel prints the address as one number in host order: 127.0.0.1:80 is 0100007F:0050.</summary>
    private static string Format(IPEndPoint endPoint)
    {
        if (endPoint.AddressFamily != AddressFamily.InterNetwork) throw new ArgumentException("only IPv4", nameof(endPoint));
        uint address = BitConverter.ToUInt32(endPoint.Address.GetAddressBytes());
        return string.Create(CultureInfo.InvariantCulture, $"{address:X8}:{endPoint.Port:X4}");
    }
}
