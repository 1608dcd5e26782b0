using P2PMigrate.Containers.Crun;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>crun, with a bundle per container. A container that is held is not known to it yet, so the cgroup is looked at.</summary>
internal sealed class CrunGround() : BundleGround(RuntimeName)
{
    public const string RuntimeName = "crun";

    public override IContainerRuntime Runtime { get; } = new CrunRuntime(new CrunOptions(), new OutputLogger());

    public override async Task<string> StatusAsync(string name)
    {
        string events = $"{CgroupOf(name)}/cgroup.events";
        if (!File.Exists(events)) return "gone";
        string text = await File.ReadAllTextAsync(events);
        return text.Contains("populated 0", StringComparison.Ordinal) ? "gone" : text.Contains("frozen 1", StringComparison.Ordinal) ? "paused" : "running";
    }
}
