using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Linux;

/// <summary>The kernel's tables of TCP sockets.</summary>
public sealed class TcpConnectionTests
{
    private const string Head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

    private static readonly string[] s_table =
    [
        Head,
        "   0: 0100007F:1E61 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0000000000000000 100 0 0 10 0",  // listens
        "   1: 0100007F:1E61 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1 0000000000000000 20 4 30 10 -1", // within
        "   2: 0100007F:C001 0100007F:1E61 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0000000000000000 20 4 30 10 -1",
        "   3: 0A00140A:1B58 6300140A:D431 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0000000000000000 20 4 30 10 -1", // with another machine
        "   4: 0A00140A:1B58 6300140A:D432 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0000000000000000",                 // nobody's any more
        "   5: 0A00140A:1B58 6300140A:D433 01 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 20 4 30 10 -1", // somebody else's
        Head.Replace("address", "v6address"),
        "   0: 0000000000000000FFFF00000100007F:1E61 0000000000000000FFFF00000100007F:C002 08 00000000:00000000 00:00000000 00000000     0        0 14 1 0 20 4 30 10 -1", // of both families
        "   1: B80D0120000000000000000001000000:1E61 B80D0120000000000000000002000000:0050 01 00000000:00000000 00:00000000 00000000     0        0 15 1 0 20 4 30 10 -1",
        "nonsense",
    ];

    private static readonly string[] s_expected = ["10.20.0.99:54321", "[2001:db8::2]:80"];

    [Fact]
    [Trait("Spec", "MIG-198")]
    public void Of_a_trees_connections_those_with_others_are_found()
    {
        string[] table = [.. s_table, "   9: 0100007F:C002 0100007F:1E61 01 00000000:00000000 00:00000000 00000000     0        0 16 1 0000000000000000 20 4 30 10 -1"];
        Assert.Equal(s_expected, TcpConnection.LeadingOut(table, new HashSet<ulong> { 10, 11, 12, 13, 14, 15, 16 }).Select(connection => connection.RemoteText));
        Assert.Equal("127.0.0.1:7777", TcpConnection.LeadingOut(table, new HashSet<ulong> { 12 }).Single().RemoteText);
        Assert.Empty(TcpConnection.LeadingOut(table, new HashSet<ulong> { 10 }));
    }
}
