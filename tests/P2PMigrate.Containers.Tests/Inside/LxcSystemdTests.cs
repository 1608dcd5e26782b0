using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Containers whose first process is systemd, which keeps itself and each service in a cgroup of its own below the container's.</summary>
public sealed class LxcSystemdTests
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [OfLxc]
    [Trait("Spec", "MIG-162")]
    [Trait("Spec", "MIG-163")]
    public async Task Systemd_and_its_services_stand_still_go_on_after_a_rollback_and_after_each_of_two_moves()
    {
        await using SystemContainer container = await SystemContainer.StartAsync();
        string sameBoot = await BootOfAsync(container.Name);
        Assert.DoesNotContain(File.ReadAllText(BootIdFile).Trim(), sameBoot, StringComparison.Ordinal); // LXC gives it one of its own.
        await using Move there = await Move.PrepareAsync(container.Name);
        Assert.DoesNotContain(await Move.Runtime.CheckSourceAsync(there.Container, Token), finding => finding.Severity == FindingSeverity.Blocker);
        Assert.True(there.Container.ProcessCount >= 3, "systemd, its journal, and the counting shell");

        await AssertFoundAsync(there, "pressure", "pressure");
        await RollBackAsync(there);
        await AssertSoundAsync(there.Container, sameBoot);
        ContainerDescription moved = await GoAsync(there);
        await AssertSoundAsync(moved, sameBoot);

        await using Move onward = await Move.PrepareAsync(moved.Name);
        await AssertSoundAsync(await GoAsync(onward), sameBoot);
    }

    /// <summary>What a service of this name has must be found, and is gone when it is stopped.</summary>
    private static async Task AssertFoundAsync(Move move, string service, string subject)
    {
        await SystemContainer.InAsync(move.Container.Name, $"systemctl start {service}");
        Finding finding = Assert.Single(await Move.Runtime.CheckSourceAsync(move.Container, Token), finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Equal(subject, finding.Subject);
        await SystemContainer.InAsync(move.Container.Name, $"systemctl stop {service}");
    }

    /// <summary>As far as a held copy, and back. No service does anything meanwhile, here or there.</summary>
    private static async Task RollBackAsync(Move move)
    {
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence); // in which it may have gone on for a moment
        (int, long) frozen = MarksIn(move.Container.RootPath);
        await move.CopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        Assert.Equal(frozen, MarksIn(move.Container.RootPath));
        Assert.Equal(frozen, MarksIn(move.Request.RootPath));
        await held.AbortAsync(Token);
        await move.AssertNothingLeftAsync();
        await fence.ThawAsync(Token);
        await Shell.RunAsync($"rm -rf {move.Request.RootPath} {move.Request.ImageDirectory}/*");
    }

    /// <summary>Moves it for good, and kills what is left, every service of it.</summary>
    private static async Task<ContainerDescription> GoAsync(Move move)
    {
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence); // in which it may have gone on for a moment
        (int, long) frozen = MarksIn(move.Container.RootPath);
        await move.CopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await held.ReleaseAsync(Token);
        await fence.DestroyAsync(Token);
        Assert.Equal(frozen, MarksIn(move.Container.RootPath));
        Assert.False(Directory.Exists(IGround.Current.CgroupOf(move.Container.Name)), "a cgroup is left");
        return await Move.Runtime.InspectAsync(move.Request.Container.Name, null, Token);
    }

    /// <summary>Its timer fires, its service counts on, systemd is the one that booted it, obeys, and does not turn in circles.</summary>
    private static async Task AssertSoundAsync(ContainerDescription container, string sameBoot)
    {
        await SystemContainer.WaitUntilGoneOnAsync(container.Name, container.RootPath);
        Assert.Equal("running", await SystemContainer.StateAsync(container.Name));
        Assert.Equal(sameBoot, await BootOfAsync(container.Name));
        Assert.Contains($" {BootIdFile} ro,", await SystemContainer.InAsync(container.Name, "cat /proc/1/mountinfo"), StringComparison.Ordinal);
        string before = await SystemContainer.InAsync(container.Name, "systemctl show -P ExecMainStartTimestampMonotonic systemd-journald");
        await SystemContainer.InAsync(container.Name, "systemctl restart systemd-journald && journalctl -q -n 1 --no-pager | grep -q .");
        Assert.NotEqual(before, await SystemContainer.InAsync(container.Name, "systemctl show -P ExecMainStartTimestampMonotonic systemd-journald"));
        string events = await SystemContainer.InAsync(container.Name, "a=$(sed -n s/usage_usec.//p /sys/fs/cgroup/init.scope/cpu.stat); sleep 1; b=$(sed -n s/usage_usec.//p /sys/fs/cgroup/init.scope/cpu.stat); echo $((b - a))");
        Assert.InRange(long.Parse(events, System.Globalization.CultureInfo.InvariantCulture), 0, 500_000);
    }

    private static Task<string> BootOfAsync(string name) => SystemContainer.InAsync(name, $"systemctl show -P UserspaceTimestampMonotonic; cat {BootIdFile}; systemctl show -P ActiveEnterTimestampMonotonic count");

    private static (int Ticks, long Count) MarksIn(string root) => (SystemContainer.TicksIn(root), SystemContainer.CountIn(root));
}
