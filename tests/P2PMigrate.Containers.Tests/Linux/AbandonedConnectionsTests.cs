using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Linux;

/// <summary>What <c>ss</c> says of connections; the ending of real ones is in <c>Inside/ConnectionTests</c>.</summary>
public sealed class AbandonedConnectionsTests
{
    [Fact]
    [Trait("Spec", "MIG-167")]
    public void Only_connections_that_no_process_holds_are_taken()
    {
        const string output = """
            FIN-WAIT-1 0      101    127.0.0.1:7777 127.0.0.1:58548 timer:(on,100ms,0) ino:0 sk:1435f cgroup:unreachable:1 ---
            FIN-WAIT-2 0      0          [::1]:7777     [::1]:60906 timer:(timewait,092ms,0) ino:0 sk:14360
            FIN-WAIT-1 0      9      10.0.0.2:80    10.0.0.3:58549 timer:(on,100ms,0) ino:8149840 sk:13bc6 cgroup:unreachable:1 ---

            """;

        Assert.Equal([("127.0.0.1:7777", "127.0.0.1:58548"), ("[::1]:7777", "[::1]:60906")], AbandonedConnections.Parse(output));
        Assert.Empty(AbandonedConnections.Parse(""));
    }
}
