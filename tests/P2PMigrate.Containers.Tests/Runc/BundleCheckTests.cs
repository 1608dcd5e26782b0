using System.Text;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Runc;

public sealed class BundleCheckTests
{
    [Fact]
    [Trait("Spec", "MIG-181")]
    public void A_container_that_podman_keeps_a_record_of_does_not_leave()
    {
        Finding finding = Assert.Single(Check("""{ "annotations": { "io.container.manager": "libpod" } }"""));
        Assert.Equal((FindingSeverity.Blocker, "The container belongs to Podman, which would not know that it has left."), (finding.Severity, finding.Message));
        Assert.Contains("--runtime podman", finding.Remedy, StringComparison.Ordinal);
        Assert.Empty(Check("""{ "annotations": { "io.container.manager": 3, "other": "libpod" } }"""));
    }

    private static IReadOnlyList<Finding> Check(string configuration) => new BundleCheck(new ContainerDescription
    {
        Name = "web", Runtime = "crun", BundlePath = "/data/web", RootPath = "/data/web/rootfs", Configuration = Encoding.UTF8.GetBytes(configuration),
    }, "/var/lib/p2pmigrate").AtSource();
}
