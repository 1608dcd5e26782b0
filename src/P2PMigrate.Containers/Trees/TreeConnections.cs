using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Trees;

/// <summary>TCP connections of a process tree. It uses its machine's addresses, which stay: of its connections only those within the tree can go on elsewhere.</summary>
internal static class TreeConnections
{
    /// <summary>Those with others than these processes.</summary>
    public static IReadOnlyList<TcpConnection> LeadingOut(IReadOnlyList<int> pids) => LeadingOut(pids.SelectMany(OpenFile.Of));

    /// <summary>The same by their descriptors.</summary>
    public static IReadOnlyList<TcpConnection> LeadingOut(IEnumerable<OpenFile> files) => TcpConnection.LeadingOut(files.Select(file => file.SocketInode).OfType<ulong>().ToHashSet());
}
