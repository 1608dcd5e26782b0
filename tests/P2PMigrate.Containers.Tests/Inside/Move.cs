using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// A migration without a network: source and target are the same host, so the target's container has another name and a copy of
/// the source's root file system.
/// </summary>
internal sealed class Move : IAsyncDisposable
{
    private Move(ContainerDescription container)
    {
        Container = container;
        SourceDirectory = Directory.CreateDirectory($"/data/job-{container.Name}/source").FullName;
        Request = new RestoreRequest
        {
            Container = container with { Name = IGround.Current.MovedNameOf(container.Name) },
            BundlePath = Directory.CreateDirectory($"/data/job-{container.Name}/bundle").FullName,
            RootPath = $"/data/job-{container.Name}/bundle/rootfs",
            ImageDirectory = Directory.CreateDirectory($"/data/job-{container.Name}/images").FullName,
            WorkDirectory = Directory.CreateDirectory($"/data/job-{container.Name}/target").FullName,
        };
    }

    public static IContainerRuntime Runtime => IGround.Current.Runtime;

    public ContainerDescription Container { get; private set; }

    public RestoreRequest Request { get; }

    public string SourceDirectory { get; }

    public ulong TargetCount => Workload.CountIn(Request.RootPath);

    public static async Task<Move> PrepareAsync(string name, VolumeChoice? volumes = null)
    {
        ContainerDescription container = await Runtime.InspectAsync(name, null, TestContext.Current.CancellationToken);
        return new Move(volumes is null ? container : Runtime.WithVolumes(container, volumes));
    }

    /// <summary>The same for a container that need not run any more: only its name counts.</summary>
    public static Move Of(string name) => new(new ContainerDescription
    {
        Name = name, Runtime = Runtime.Name, BundlePath = $"/data/{name}", RootPath = $"/data/{name}/rootfs",
        Configuration = File.ReadAllBytes(ConfigurationOf(name)),
    });

    /// <summary>What runs under the name now is what moves.</summary>
    public async Task LookAgainAsync() => Container = await Runtime.InspectAsync(Container.Name, null, TestContext.Current.CancellationToken);

    public async Task<IFence> FreezeAsync()
    {
        await using IFreezePlan plan = await PlanAsync();
        return await plan.FreezeAsync(() => { }, TestContext.Current.CancellationToken);
    }

    /// <summary>Freezes, dumps and copies: all that a restore needs is there.</summary>
    public async Task<IFence> FreezeAndCopyAsync()
    {
        IFence fence = await FreezeAsync();
        await DumpAsync(fence);
        await CopyAsync();
        return fence;
    }

    public Task<IFreezePlan> PlanAsync() => Runtime.PrepareFreezeAsync(Container, SourceDirectory, TestContext.Current.CancellationToken);

    /// <summary>Dumps with the memory straight into the target's images, as if sent.</summary>
    public Task<DumpSummary> DumpAsync(IFence fence, IPageSink? sink = null) =>
        fence.DumpAsync(Request.ImageDirectory, sink ?? Runtime.CreatePageWriter(Request.ImageDirectory), TestContext.Current.CancellationToken);

    /// <summary>Copies the frozen root file system; the counter that can be seen is wiped, so that only memory can bring it back.</summary>
    public async Task CopyAsync()
    {
        await File.WriteAllBytesAsync(ConfigurationOf(Container.Name), Container.Configuration, TestContext.Current.CancellationToken);
        await Shell.RunAsync(
        $"""
        cp -a {Container.RootPath} {Request.RootPath}
        if [ -e {Request.RootPath}/counter ]; then dd if=/dev/zero of={Request.RootPath}/counter bs=4096 count=1 conv=notrunc 2>/dev/null; fi
        """);
    }

    private static string ConfigurationOf(string name) => $"/data/job-{name}/bundle/config.json";

    public async Task<IHeldContainer> RestoreAsync()
    {
        IReadOnlyList<Finding> findings = await Runtime.VerifyAsync(Request, TestContext.Current.CancellationToken);
        Assert.All(findings, finding => Assert.Equal(FindingSeverity.Good, finding.Severity));
        return await Runtime.RestoreAsync(Request, TestContext.Current.CancellationToken);
    }

    /// <summary>Nothing of the target's container may be left: no record, cgroup, process of ours, or mount.</summary>
    public async Task AssertNothingLeftAsync()
    {
        Assert.Equal("gone", await Workload.StatusAsync(Request.Container.Name));
        Assert.False(Directory.Exists(IGround.Current.CgroupOf(Request.Container.Name)), "a cgroup is left");
        Assert.Equal("", IGround.Current.RemainsOf(Request.Container.Name));
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(Request.WorkDirectory));
        Assert.DoesNotContain(Request.BundlePath, await File.ReadAllTextAsync("/proc/self/mountinfo"));
    }

    public async ValueTask DisposeAsync() => await Shell.RunAsync(
        $"{IGround.Current.Removal(Request.Container.Name)}; {IGround.Current.Removal(Container.Name)}; rm -rf --one-file-system /data/job-{Container.Name} /data/{Container.Name}");
}
