using System.Text;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Runc;

public sealed class BundleConfigurationTests
{
    private const string Typical = """
        {
          "process": { "terminal": true, "args": ["sh"] },
          "root": { "path": "rootfs", "readonly": true },
          "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/vol", "type": "bind", "source": "/srv/vol" },
            { "destination": "/etc/hosts", "type": "none", "source": "/etc/hosts", "options": ["rbind", "ro"] }
          ],
          "linux": {
            "cgroupsPath": "user.slice:runc:web",
            "namespaces": [{ "type": "pid" }, { "type": "network", "path": "/run/netns/web" }]
          },
          "hooks": { "prestart": [{ "path": "/bin/true" }] },
          "x-unknown": [1, 2.50, null]
        }
        """;

    [Fact]
    public void What_migration_looks_at_is_found()
    {
        BundleConfiguration configuration = Parse(Typical);
        Assert.True(configuration.HasTerminal);
        Assert.Equal("rootfs", configuration.RootPath);
        Assert.Equal("/run/netns/web", configuration.NetworkNamespacePath);
        Assert.True(configuration.HasNetworkNamespace);
        Assert.True(configuration.HasHooks);
        Assert.True(configuration.UsesSystemdCgroups);
        Assert.Equal("user.slice:runc:web", configuration.CgroupsPath);
        Assert.Equal([new BindMount("/srv/vol", "/vol"), new BindMount("/etc/hosts", "/etc/hosts")], configuration.BindMounts);
    }

    [Fact]
    public void A_new_root_changes_nothing_else()
    {
        BundleConfiguration moved = Parse(Encoding.UTF8.GetString(Parse(Typical).WithRootPath("/data/x/rootfs")));
        Assert.Equal("/data/x/rootfs", moved.RootPath);
        string text = Encoding.UTF8.GetString(Parse(Typical).WithRootPath("/r"));
        Assert.Contains("2.50", text);
        Assert.Contains("\"readonly\": true", text);
    }

    [Fact]
    [Trait("Spec", "MIG-186")]
    public void A_mount_gets_another_source_and_nothing_else_changes()
    {
        BundleConfiguration changed = Parse(Encoding.UTF8.GetString(Parse(Typical).WithSources(new Dictionary<string, string> { ["/vol"] = "rootfs/vol", ["/proc"] = "/no" })));
        Assert.Equal([new BindMount("rootfs/vol", "/vol"), new BindMount("/etc/hosts", "/etc/hosts")], changed.BindMounts);
        Assert.Equal(Parse(Typical).WithRootPath("/r"), Parse(Encoding.UTF8.GetString(changed.WithSources(new Dictionary<string, string> { ["/vol"] = "/srv/vol" }))).WithRootPath("/r"));
    }

    [Theory]
    [Trait("Spec", "MIG-189")]
    [InlineData("runc", false)]
    [InlineData("crun", true)]
    public void Mapped_users_go_with_runc_only(string runtime, bool refused)
    {
        byte[] text = Encoding.UTF8.GetBytes("""{"linux":{"namespaces":[{"type":"user"}]}}""");
        var container = new ContainerDescription { Name = "web", Runtime = runtime, BundlePath = "/b", RootPath = "/b/rootfs", Configuration = text };
        Assert.Equal(refused, new BundleCheck(container, "/var/lib/p2pmigrate").AtSource().Any(finding => finding is { Severity: FindingSeverity.Blocker, Subject: "user namespace" }));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"process":7,"root":[],"mounts":{"a":1},"linux":{"namespaces":[null,3,{"type":4},{"path":"x"}],"cgroupsPath":{}},"hooks":null}""")]
    [InlineData("""{"mounts":[{"type":"bind","source":3},{"type":"bind"},{"options":[null,{"a":1}]},{"type":"bind","source":"/a\u0000","destination":"/b"}],"root":{"path":5}}""")]
    public void Odd_values_read_as_absent(string text)
    {
        BundleConfiguration configuration = Parse(text);
        Assert.False(configuration.HasTerminal);
        Assert.Null(configuration.RootPath);
        Assert.Null(configuration.NetworkNamespacePath);
        Assert.False(configuration.HasNetworkNamespace);
        Assert.False(configuration.HasHooks);
        Assert.Null(configuration.CgroupsPath);
        Assert.Empty(configuration.BindMounts);
        Assert.Equal("/r", Parse(Encoding.UTF8.GetString(configuration.WithRootPath("/r"))).RootPath);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("{\"a\":")]
    public void What_is_no_object_is_refused(string text) => Assert.False(BundleConfiguration.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void A_key_that_is_not_utf8_is_refused() => Assert.False(BundleConfiguration.TryParse([.. "{\""u8, 0xFF, .. "\":1}"u8], out _));

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Typical);
        for (int length = 0; length < whole.Length; length++) Assert.False(BundleConfiguration.TryParse(whole.AsSpan(0, length), out _));
    }

    [Fact]
    public void Too_much_is_refused() => Assert.False(BundleConfiguration.TryParse(new byte[BundleConfiguration.BytesMax + 1], out _));

    private static BundleConfiguration Parse(string text)
    {
        Assert.True(BundleConfiguration.TryParse(Encoding.UTF8.GetBytes(text), out BundleConfiguration? configuration));
        return configuration;
    }
}
