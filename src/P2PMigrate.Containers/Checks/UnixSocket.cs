using System.Globalization;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checks;

/// <summary>A connected Unix socket of a container's network namespace: its number, and that of its other end (zero: none).</summary>
internal sealed record UnixSocket(ulong Inode, ulong PeerInode, string Path)
{
    private const int ColumnsMin = 8;

    /// <summary>Asks <c>ss</c> inside the namespace; an empty list when it is not here.</summary>
    public static async Task<IReadOnlyList<UnixSocket>> ListAsync(int pid, CancellationToken cancellationToken)
    {
        if (!Tool.Exists("ss")) return [];
        ToolResult listed = await Tool.RunAsync(
            "nsenter", ["-t", pid.ToString(CultureInfo.InvariantCulture), "-n", "ss", "-xanH"], cancellationToken).ConfigureAwait(false);
        return listed.Succeeded ? Parse(listed.Output) : [];
    }

    /// <summary>Lines of <c>type state received sent path number peer-path peer-number</c>; others are skipped.</summary>
    public static IReadOnlyList<UnixSocket> Parse(string listing) =>
    [
        .. from line in listing.Split('\n')
           let columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
           where columns.Length >= ColumnsMin && columns[0].StartsWith("u_", StringComparison.Ordinal)
           let inode = Number(columns[5])
           let peer = Number(columns[7])
           where inode is not null && peer is not null
           select new UnixSocket(inode.Value, peer.Value, columns[6]),
    ];

    private static ulong? Number(string text) => ulong.TryParse(text, CultureInfo.InvariantCulture, out ulong number) ? number : null;
}
