using System.Text;
using P2PMigrate.Containers.Lxc;

namespace P2PMigrate.Containers.Tests.Lxc;

public sealed class LxcConfigurationTests
{
    private const string Text = """
        # lxc.idmap = u 0 100000 65536
        lxc.include = /usr/share/lxc/config/common.conf
        lxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs
        lxc.net.0.type = veth
        lxc.net.0.link = br0
        lxc.net.1.type=empty
        lxc.mount.entry = /srv/data data none rw,bind,create=dir 0 0
        lxc.mount.entry = tmpfs run tmpfs rw 0 0
        nonsense
        """;

    private static LxcConfiguration Sample => LxcConfiguration.Parse(Encoding.UTF8.GetBytes(Text))!;

    [Fact]
    public void What_migration_looks_into_is_found()
    {
        Assert.Equal(["/usr/share/lxc/config/common.conf"], Sample.Includes);
        Assert.Equal([new LxcInterface("0", "veth", "br0"), new LxcInterface("1", "empty", null)], Sample.Interfaces);
        Assert.Equal([new LxcMount("/srv/data", "data")], Sample.BindMounts);
        Assert.False(Sample.HasIdMap);
        Assert.False(Sample.HasHooks);
    }

    [Fact]
    public void Only_the_place_of_the_root_file_system_changes()
    {
        string[] before = Text.Split('\n');
        string[] after = Encoding.UTF8.GetString(Sample.WithRootPath("/elsewhere/rootfs", "# mark")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["# mark", .. before.Where(line => !line.Contains("rootfs.path", StringComparison.Ordinal)), "lxc.rootfs.path = dir:/elsewhere/rootfs"], after);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    [InlineData(new byte[] { (byte)'a', 0, (byte)'b' })]
    public void What_is_no_text_is_no_configuration(byte[] text) => Assert.Null(LxcConfiguration.Parse(text));
}
