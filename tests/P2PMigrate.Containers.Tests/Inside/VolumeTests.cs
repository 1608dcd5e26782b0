using System.Globalization;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>What a container sees of its machine: copied, expected at the target, or left empty there.</summary>
public sealed class VolumeTests : IDisposable
{
    private readonly string _volumes = Directory.CreateDirectory($"/data/volumes-{Guid.NewGuid():N}"[..20]).FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private (string, string)[] Mounts => [($"{_volumes}/vol", "/volume"), ($"{_volumes}/vol", "/again"), ($"{_volumes}/app.conf", "/etc/app.conf"), ($"{_volumes}/cache", "/cache"), ($"{_volumes}/there", "/there")];

    public void Dispose() => Directory.Delete(_volumes, recursive: true);

    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-186")]
    public async Task Volumes_go_along_are_expected_or_stay_as_the_user_says_and_go_along_once_more()
    {
        await using Workload workload = await StartAsync();
        await using Move move = await Move.PrepareAsync(workload.Name, new VolumeChoice
        {
            Others = VolumePolicy.Copy,
            Named = new Dictionary<string, VolumePolicy> { ["/cache"] = VolumePolicy.Skip, ["/there"] = VolumePolicy.Expect },
        });
        IReadOnlyList<Finding> findings = await Move.Runtime.CheckSourceAsync(move.Container, Token);
        Assert.DoesNotContain(findings, finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Equal(
            ["/there is", "/cache will be empty"],
            findings.Where(finding => finding is { Subject: "volume", Severity: FindingSeverity.Warning }).Select(finding => finding.Message.Split(" at the target")[0].Split($" {_volumes}")[0]));

        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await SendAsync(move);
        AssertIsInTree(move.Container);
        string written = await File.ReadAllTextAsync($"{_volumes}/vol/log", Token);
        Assert.DoesNotContain(
            await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token), finding => finding.Severity == FindingSeverity.Blocker);
        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);

        string log = $"{move.Request.RootPath}/again/log";
        await RestoreTests.WaitForAsync(() => move.TargetCount > frozenAt + 5000);
        Assert.Equal(written, await File.ReadAllTextAsync($"{_volumes}/vol/log", Token));
        Assert.StartsWith(written, await File.ReadAllTextAsync(log, Token), StringComparison.Ordinal);
        Assert.True(new FileInfo(log).Length > written.Length, "it writes elsewhere");

        int init = await IGround.Current.InitPidAsync(move.Request.Container.Name);
        string view = string.Create(CultureInfo.InvariantCulture, $"/proc/{init}/root");
        Assert.Equal("one log, a text, nothing, what is there", await Shell.RunAsync(
            $"[ {view}/volume/log -ef {view}/again/log ] && [ {view}/volume/log -ef {log} ] && printf 'one log, '; cat {view}/etc/app.conf; ls -A {view}/cache; [ -d {view}/cache ] && printf 'nothing, '; cat {view}/there/file"));

        ConformanceTable.Tell(ConformanceTable.Volumes, ConformanceTable.Moves);

        // What came along goes along again without a word.
        ContainerDescription again = Move.Runtime.WithVolumes(await Move.Runtime.InspectAsync(move.Request.Container.Name, null, Token), new VolumeChoice());
        Assert.Empty(again.Volumes);
        Assert.Equal(["/there is"], (await Move.Runtime.CheckSourceAsync(again, Token)).Where(finding => finding is { Subject: "volume", Severity: FindingSeverity.Warning }).Select(finding => finding.Message.Split($" {_volumes}")[0]));
    }

    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-187")]
    public async Task A_volume_that_cannot_go_along_is_refused_with_its_name()
    {
        await Shell.RunAsync($"mkdir -p {_volumes}/run; mkfifo {_volumes}/pipe");
        await using Workload workload = await StartAsync(($"{_volumes}/pipe", "/pipe"));
        ContainerDescription container = await Move.Runtime.InspectAsync(workload.Name, null, Token);
        Assert.Contains("has no volume at /nowhere; it has /again, /cache, ", RefusalOf("/nowhere"), StringComparison.Ordinal);
        Assert.Contains("/pipe of " + workload.Name + " cannot go along: it is neither a directory nor a regular file", RefusalOf("/pipe"), StringComparison.Ordinal);
        Assert.Equal(4, Move.Runtime.WithVolumes(container, new VolumeChoice { Others = VolumePolicy.Copy }).Volumes.Count); // all but the pipe, and one of the two that are one

        Finding blocker = Assert.Single(await Move.Runtime.CheckSourceAsync(With("/volume", VolumePolicy.Skip), Token), finding => finding is { Subject: "volume", Severity: FindingSeverity.Blocker });
        Assert.Contains("uses /volume/log, which would be missing", blocker.Message, StringComparison.Ordinal);

        string RefusalOf(string path) => Assert.Throws<ContainerException>(() => With(path, VolumePolicy.Copy)).Message;

        ContainerDescription With(string path, VolumePolicy policy) => Move.Runtime.WithVolumes(container, new VolumeChoice { Named = new Dictionary<string, VolumePolicy> { [path] = policy } });
    }

    [InsideFact]
    [Trait("Spec", "MIG-186")]
    [Trait("Spec", "MIG-187")]
    public async Task Where_volumes_overlap_each_goes_along_with_what_the_container_sees_there()
    {
        await Shell.RunAsync($"cd {_volumes}; mkdir -p a/sub a/disk a/plain b; mount -t tmpfs tmpfs a/disk; touch a/disk/on-disk a/sub/of-a b/of-b a/plain/of-a");
        try
        {
            await using Workload workload = await Workload.CountingAsync(
                5, null, null,
                ($"{_volumes}/a", "/outer"), ($"{_volumes}/b", "/outer/sub"), ($"{_volumes}/a/sub", "/c"), ($"{_volumes}/a/disk", "/disk"), ($"{_volumes}/a/plain", "/plain"), ($"{_volumes}/b", "/dev/shm/b"));
            ContainerDescription container = await Move.Runtime.InspectAsync(workload.Name, null, Token);
            ContainerDescription placed = Move.Runtime.WithVolumes(container, new VolumeChoice { Others = VolumePolicy.Copy });
            Assert.Equal(["/c", "/disk", "/outer", "/outer/sub"], placed.Volumes.Select(volume => volume.Path).Order());
            Assert.True(BundleConfiguration.TryParse(placed.Configuration.Span, out BundleConfiguration? configuration));
            Assert.Equal(
                ["rootfs/c", "rootfs/outer/sub", "rootfs/disk", "rootfs/outer", "rootfs/outer/sub", "rootfs/outer/plain"],
                configuration.BindMounts.OrderBy(mount => mount.Path, StringComparer.Ordinal).Select(mount => mount.Source));
            using var scanner = new TreeScanner(placed.Files);
            HashSet<string> found = [.. scanner.Scan(ScanMode.Live, Token).Manifest.Entries.Select(entry => entry.Path.ToString())];
            Assert.Subset(found, new HashSet<string> { "c/of-a", "disk/on-disk", "outer/sub/of-b", "outer/plain/of-a" });
            Assert.DoesNotContain("outer/sub/of-a", found);

            var nested = new VolumeChoice { Others = VolumePolicy.Skip, Named = new Dictionary<string, VolumePolicy> { ["/outer/sub"] = VolumePolicy.Copy } };
            Assert.Contains("there is no place for it", Assert.Throws<ContainerException>(() => Move.Runtime.WithVolumes(container, nested)).Message, StringComparison.Ordinal);
        }
        finally
        {
            await Shell.RunAsync($"umount -l {_volumes}/a/disk");
        }
    }

    /// <summary>What the product would send.</summary>
    private static void AssertIsInTree(ContainerDescription container)
    {
        using var scanner = new TreeScanner(container.Files);
        Dictionary<string, TreeEntry> found = scanner.Scan(ScanMode.Frozen, Token).Manifest.Entries.ToDictionary(entry => entry.Path.ToString());
        Assert.Equal(new FileInfo($"/proc/{container.InitPid}/root/volume/log").Length, Assert.IsType<FileEntry>(found["again/log"]).Content.Size);
        Assert.Equal("a text, ".Length, Assert.IsType<FileEntry>(found["etc/app.conf"]).Content.Size);
        Assert.IsType<DirectoryEntry>(found["cache"]);
        Assert.DoesNotContain(found.Keys, path => path.StartsWith("cache/", StringComparison.Ordinal) || path.StartsWith("volume/", StringComparison.Ordinal));
    }

    private static async Task SendAsync(Move move)
    {
        await move.CopyAsync();
        foreach (TreeGraft volume in move.Container.Volumes)
        {
            string place = $"{move.Request.RootPath}/{volume.At}";
            await Shell.RunAsync(volume.IsHollow ? $"rm -rf {place}; mkdir {place}" : $"rm -rf {place}; cp -a {volume.View}{volume.Path} {place}");
        }
    }

    private async Task<Workload> StartAsync(params (string, string)[] more)
    {
        await Shell.RunAsync($"cd {_volumes}; mkdir -p vol cache there; printf 'a text, ' > app.conf; echo much > cache/much; printf 'what is there' > there/file");
        return await Workload.CountingAsync(5, ["volume"], null, [.. Mounts, .. more]);
    }
}
