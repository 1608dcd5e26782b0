using System.Globalization;

namespace P2PMigrate.Containers.Linux;

/// <summary>A connected TCP socket of our network namespace: its number, and both ends as the kernel's tables write them.</summary>
internal sealed record TcpConnection(ulong Inode, string Local, string Remote)
{
    private const string Listening = "0A", Closed = "07";
    private const string MappedPrefix = "0000000000000000FFFF0000"; // an IPv4 address in the IPv6 table
    private const int ColumnsMin = 10;
    private static readonly string[] s_tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Of connected sockets that have these numbers, those whose other end has none of them.</summary>
    public static IReadOnlyList<TcpConnection> LeadingOut(IReadOnlySet<ulong> sockets) => LeadingOut(s_tables.Where(File.Exists).SelectMany(File.ReadLines), sockets);

    /// <summary>The same of the lines of tables.</summary>
    internal static IReadOnlyList<TcpConnection> LeadingOut(IEnumerable<string> lines, IReadOnlySet<ulong> sockets)
    {
        TcpConnection[] own = [.. lines.Select(Parse).OfType<TcpConnection>().Where(connection => sockets.Contains(connection.Inode))];
        HashSet<(string, string)> ends = [.. own.Select(connection => (connection.Local, connection.Remote))];
        return [.. own.Where(connection => !ends.Contains((connection.Remote, connection.Local)))];
    }

    /// <summary>The other end as a person writes it.</summary>
    public string RemoteText
    {
        get
        {
            string[] parts = Remote.Split(':');
            byte[] address = [.. Convert.FromHexString(parts[0]).Chunk(sizeof(uint)).SelectMany(word => BitConverter.IsLittleEndian ? word.Reverse() : word)];
            return new System.Net.IPEndPoint(new System.Net.IPAddress(address), int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();
        }
    }

    /// <summary><c>sl local remote state …</c>, the inode in the tenth column; null for whatever is not connected.</summary>
    private static TcpConnection? Parse(string line)
    {
        string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns.Length >= ColumnsMin && columns[3] is not (Listening or Closed) && ulong.TryParse(columns[9], CultureInfo.InvariantCulture, out ulong inode) && inode > 0
            ? new TcpConnection(inode, Plain(columns[1]), Plain(columns[2])) : null;
    }

    private static string Plain(string end) => end.StartsWith(MappedPrefix, StringComparison.Ordinal) ? end[MappedPrefix.Length..] : end;
}
