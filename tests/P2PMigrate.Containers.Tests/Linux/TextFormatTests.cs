using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Linux;

/// <summary>What the kernel and the tools around it print.</summary>
public sealed class TextFormatTests
{
    [Fact]
    public void A_mountinfo_line_is_read_with_its_escapes()
    {
        Assert.True(Mount.TryParse(@"94 93 0:38 /c1 /sys/fs/my\040cgroup ro,nosuid shared:1 master:2 - cgroup2 cgroup rw", out Mount? mount));
        Assert.Equal(new Mount(94, "/c1", "/sys/fs/my cgroup", "cgroup2"), mount);
    }

    [Theory]
    [InlineData("")]
    [InlineData("94 93 0:38 / /x rw")]
    [InlineData("94 93 0:38 / /x rw -")]
    [InlineData("x 93 0:38 / /x rw - proc proc rw")]
    public void An_odd_mountinfo_line_is_passed_over(string line) => Assert.False(Mount.TryParse(line, out _));

    [Fact]
    public void Links_are_read_without_loopback()
    {
        const string json = """
            [{"ifindex":1,"ifname":"lo","link_type":"loopback"},
             {"ifindex":2,"link_index":7,"ifname":"eth0","link_type":"ether","link_netnsid":0},
             {"ifindex":3,"ifname":"tun0","link_type":"none"},{}]
            """;
        Assert.Equal([new NetworkIsolation.InnerLink(2, 7), new NetworkIsolation.InnerLink(3, 0)], NetworkIsolation.InnerLink.Parse(json));
        Assert.Empty(NetworkIsolation.InnerLink.Parse(""));
    }

    [Fact]
    public void Unix_sockets_are_read_with_both_ends()
    {
        const string listing = """
            u_str ESTAB 0      0            /run/x.sock 101  * 102
            u_dgr UNCONN 0     0                      * 103  * 0
            nl    UNCONN 0     0   0:0 *
            """;
        Assert.Equal([new UnixSocket(101, 102, "*"), new UnixSocket(103, 0, "*")], UnixSocket.Parse(listing));
    }
}
