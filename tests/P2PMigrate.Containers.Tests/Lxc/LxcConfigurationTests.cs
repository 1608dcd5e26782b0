using System.Text;
using P2PMigrate.Containers.Lxc;
using P2PMigrate.Containers.Volumes;

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
        Assert.Equal([new BindMount("/srv/data", "data")], Sample.BindMounts);
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

    [Fact]
    [Trait("Spec", "MIG-186")]
    public void A_mount_gets_another_source_in_the_notation_of_its_file()
    {
        string text = Text + "\nlxc.mount.entry = /srv/two\\040words two\\040words none bind 0 0";
        LxcConfiguration configuration = LxcConfiguration.Parse(Encoding.UTF8.GetBytes(text))!;
        Assert.Equal(new BindMount("/srv/two words", "two words"), configuration.BindMounts[1]);
        string changed = Encoding.UTF8.GetString(configuration.WithSources(new Dictionary<string, string> { ["data"] = "/new place", ["two words"] = "rootfs/two words", ["run"] = "/no" }));
        Assert.Equal(text.Replace("/srv/data", "/new\\040place", StringComparison.Ordinal).Replace("/srv/two", "rootfs/two", StringComparison.Ordinal), changed);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    [InlineData(new byte[] { (byte)'a', 0, (byte)'b' })]
    public void What_is_no_text_is_no_configuration(byte[] text) => Assert.Null(LxcConfiguration.Parse(text));
}
