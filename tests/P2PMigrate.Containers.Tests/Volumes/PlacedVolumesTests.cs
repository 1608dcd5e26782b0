using System.Text;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Volumes;

/// <summary>What a peer says of volumes, at the target.</summary>
public sealed class PlacedVolumesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("p2pmigrate-volumes-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    [Trait("Spec", "MIG-186")]
    public void What_came_along_is_named_by_its_place_here()
    {
        Directory.CreateDirectory($"{_root}/srv/dätä");
        File.WriteAllText($"{_root}/srv/conf", "");
        byte[]? placed = PlacedVolumes.In(Parse(("rootfs/srv/dätä", "/vol"), ("rootfs/srv/conf", "/etc/conf"), ("/there", "/there")), _root);
        Assert.True(BundleConfiguration.TryParse(placed, out BundleConfiguration? configuration));
        Assert.Equal([new BindMount($"{_root}/srv/dätä", "/vol"), new BindMount($"{_root}/srv/conf", "/etc/conf"), new BindMount("/there", "/there")], configuration.BindMounts);
        Assert.Null(PlacedVolumes.In(configuration, _root));
    }

    [Theory]
    [Trait("Spec", "MIG-186")]
    [InlineData("rootfs/nowhere")]
    [InlineData("rootfs/")]
    [InlineData("rootfs//etc")]
    [InlineData("rootfs/../secret")]
    [InlineData("rootfs/srv/./data")]
    [InlineData("rootfs/out")]
    [InlineData("rootfs/out/passwd")]
    [InlineData("rootfs/inside/data")]
    [InlineData("rootfs/pipe")]
    public void What_is_not_in_the_root_file_system_itself_is_refused(string source)
    {
        Directory.CreateDirectory($"{_root}/srv/data");
        File.CreateSymbolicLink($"{_root}/out", "/etc");
        File.CreateSymbolicLink($"{_root}/inside", "srv");
        Assert.Equal(0, P2PMigrate.Containers.Linux.Native.MakeFifo($"{_root}/pipe", 0x180));
        Assert.Contains("The volume /vol should have come along", Assert.Throws<ContainerException>(() => PlacedVolumes.In(Parse((source, "/vol")), _root)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Spec", "MIG-187")]
    [InlineData("rootfs/srv/data", null)]
    [InlineData("/", null)]
    [InlineData("/nowhere/at/all", "does not exist here")]
    [InlineData("rootfs/../secret", "is no place here")]
    [InlineData("srv/data", "is no place here")]
    [InlineData("", "is no place here")]
    public void A_source_that_is_no_place_here_is_found_beforehand(string source, string? said)
    {
        Finding[] findings = [.. VolumeCheck.AtTarget(Parse((source, "/vol")).BindMounts)];
        Assert.Equal(said is null ? 0 : 1, findings.Length);
        Assert.All(findings, finding => Assert.True(finding is { Severity: FindingSeverity.Blocker, Remedy: not null } && finding.Message.Contains(said!, StringComparison.Ordinal)));
    }

    private static BundleConfiguration Parse(params (string Source, string Destination)[] mounts)
    {
        string text = string.Join(", ", mounts.Select(mount => $$"""{ "type": "bind", "source": "{{mount.Source}}", "destination": "{{mount.Destination}}" }"""));
        Assert.True(BundleConfiguration.TryParse(Encoding.UTF8.GetBytes($$"""{ "mounts": [{{text}}] }"""), out BundleConfiguration? configuration));
        return configuration;
    }
}
