using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>A proposal whose content does not matter.</summary>
internal static class Proposals
{
    public static Propose Any { get; } = new(
        new JobId(1),
        ContainerName.TryParse("web", out ContainerName name) ? name : default,
        new ContainerDescription { Name = "web", Runtime = "runc", BundlePath = "/b", RootPath = "/b/rootfs", Configuration = default },
        new MachineFacts { CriuVersion = "4.2.1", RuntimeVersion = "1.3", KernelRelease = "6.18", Architecture = "x86_64", CpuFeatures = [] },
        1000);
}
