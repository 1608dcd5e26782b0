using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Trees;

/// <summary>TCP connections of a process tree. It uses its machine's addresses, which stay: of its connections only those within the tree can go on elsewhere.</summary>
internal static class TreeConnections
{
    /// <summary>Those with others than these processes.</summary>
    public static IReadOnlyList<TcpConnection> LeadingOut(IReadOnlyList<int> pids) => TcpConnection.LeadingOut(
        pids.SelectMany(ProcessTable.Descriptors).Select(file => OpenFile.SocketOf(file.Target)).OfType<ulong>().ToHashSet());
}
