using System.Globalization;
using P2PMigrate.Migration.Runtime;
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

        // What came along goes along again without a word.
        ContainerDescription again = Move.Runtime.WithVolumes(await Move.Runtime.InspectAsync(move.Request.Container.Name, null, Token), new VolumeChoice());
        Assert.Empty(again.Volumes);
        Assert.Equal(["/there is"], (await Move.Runtime.CheckSourceAsync(again, Token)).Where(finding => finding is { Subject: "volume", Severity: FindingSeverity.Warning }).Select(finding => finding.Message.Split($" {_volumes}")[0]));
    }

    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-186")]
    public async Task A_volume_that_cannot_go_along_is_refused_with_its_name()
    {
        await Shell.RunAsync($"mkdir -p {_volumes}/run; mkfifo {_volumes}/pipe");
        await using Workload workload = await StartAsync(($"{_volumes}/pipe", "/pipe"));
        ContainerDescription container = await Move.Runtime.InspectAsync(workload.Name, null, Token);
        Assert.Contains("has no volume at /nowhere; it has /again, /cache, ", RefusalOf("/nowhere"), StringComparison.Ordinal);
        Assert.Contains("/pipe of " + workload.Name + " cannot go along: it is neither a directory nor a regular file", RefusalOf("/pipe"), StringComparison.Ordinal);
        Assert.Equal(4, Move.Runtime.WithVolumes(container, new VolumeChoice { Others = VolumePolicy.Copy }).Volumes.Count); // all but the pipe, and one of the two that are one

        Finding blocker = Assert.Single(await Move.Runtime.CheckSourceAsync(With("/volume", VolumePolicy.Skip), Token), finding => finding is { Subject: "volume", Severity: FindingSeverity.Blocker });
        Assert.Contains("has /volume/log open, which would be missing", blocker.Message, StringComparison.Ordinal);

        string RefusalOf(string path) => Assert.Throws<ContainerException>(() => With(path, VolumePolicy.Copy)).Message;

        ContainerDescription With(string path, VolumePolicy policy) => Move.Runtime.WithVolumes(container, new VolumeChoice { Named = new Dictionary<string, VolumePolicy> { [path] = policy } });
    }

    private static async Task SendAsync(Move move)
    {
        await move.CopyAsync();
        foreach (TreeGraft volume in move.Container.Volumes)
        {
            string place = $"{move.Request.RootPath}/{volume.At}";
            await Shell.RunAsync(volume.IsHollow ? $"rm -rf {place}; mkdir {place}" : $"rm -rf {place}; cp -a {volume.Source} {place}");
        }
    }

    private async Task<Workload> StartAsync(params (string, string)[] more)
    {
        await Shell.RunAsync($"cd {_volumes}; mkdir -p vol cache there; printf 'a text, ' > app.conf; echo much > cache/much; printf 'what is there' > there/file");
        return await Workload.CountingAsync(5, ["volume"], null, [.. Mounts, .. more]);
    }
}
