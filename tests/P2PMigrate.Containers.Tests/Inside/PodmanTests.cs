using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>What Podman does on its own account.</summary>
public sealed class PodmanTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As if the power had gone when Podman had created the container.</summary>
    [InsideFact]
    [OfPodman]
    public async Task What_was_begun_before_the_machine_was_started_again_is_forgotten_and_nothing_else()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        string name = move.Request.Container.Name;
        await Shell.RunAsync($"cp -a {workload.Root} {move.Request.RootPath}; podman create --name {name} --network none --rootfs {move.Request.RootPath} true");
        RestoreRecord Begun(string bundle) => new() { Container = name, BootId = "an earlier one", BundlePath = bundle, RootPath = move.Request.RootPath, Cgroups = [] };

        Begun("/data/another").Save(move.Request.WorkDirectory);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        Assert.NotEqual("", IGround.Current.RemainsOf(name));

        Begun(move.Request.BundlePath).Save(move.Request.WorkDirectory);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        Assert.Equal("", IGround.Current.RemainsOf(name));
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
    }

    [InsideFact]
    [OfPodman]
    [Trait("Spec", "MIG-183")]
    public async Task Files_in_the_shared_memory_that_Podman_makes_are_found_before_and_when_they_come_later_the_container_goes_on()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using (IFence fence = await move.FreezeAsync())
        {
            await Shell.RunAsync($"touch /proc/{await workload.InitPidAsync()}/root/dev/shm/late");
            ContainerException lost = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence));
            Assert.Contains("/dev/shm/late", lost.Message, StringComparison.Ordinal);
            await fence.ThawAsync(Token);
        }

        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
        Finding found = Assert.Single(await Move.Runtime.CheckSourceAsync(move.Container, Token), finding => finding.Subject == "shared memory");
        Assert.Equal(FindingSeverity.Blocker, found.Severity);
    }

    /// <summary>As when our process is killed before Podman has started crun, on a machine that has no runc.</summary>
    [InsideFact]
    [OfPodman]
    public async Task What_Podman_has_only_created_is_forgotten_without_a_word_of_the_runtime()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        string name = move.Request.Container.Name;
        await Shell.RunAsync($"cp -a {workload.Root} {move.Request.RootPath}; podman --runtime crun create --name {name} --network none --rootfs {move.Request.RootPath} true; mv $(command -v runc) /tmp/runc.away");
        try
        {
            new RestoreRecord { Container = name, BootId = WorkRecord.CurrentBootId, BundlePath = move.Request.BundlePath, RootPath = move.Request.RootPath, Cgroups = [] }.Save(move.Request.WorkDirectory);
            await Move.Runtime.CleanUpAsync(move.Request, Token);
            Assert.Equal("", IGround.Current.RemainsOf(name));
            Assert.True(File.Exists($"{move.Request.RootPath}/counter.py"), "its files are gone too");
        }
        finally
        {
            await Shell.RunAsync("mv /tmp/runc.away /usr/sbin/runc");
        }
    }

    /// <summary>Those of the contract are about crun below Podman; this is about runc.</summary>
    [InsideFact]
    [OfPodman]
    [Trait("Spec", "MIG-182")]
    public async Task What_runc_runs_below_Podman_moves_after_a_restore_that_is_given_up()
    {
        await using Workload workload = await Workload.PrepareAsync(["python3", "/counter.py", "8"]);
        await workload.PutAsync("counter.py");
        await Shell.RunAsync($"podman --runtime runc run -d --name {workload.Name} --network none --pids-limit 0 --rootfs {workload.Root} python3 /counter.py 8 </dev/null >/dev/null");
        await workload.WaitForCountAsync(2000);
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.DoesNotContain(await Move.Runtime.CheckSourceAsync(move.Container, Token), finding => finding.Severity == FindingSeverity.Blocker);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await using (IHeldContainer held = await move.RestoreAsync()) Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        await move.AssertNothingLeftAsync();

        await using (IHeldContainer held = await move.RestoreAsync()) await held.ReleaseAsync(Token);
        await fence.DestroyAsync(Token);
        while (move.TargetCount < frozenAt + 1000) await Task.Delay(10, Token);
        string[] known = (await Shell.RunAsync($"podman inspect {move.Request.Container.Name} --format '{{{{.OCIRuntime}}}} {{{{.Id}}}} {{{{.State.Pid}}}}'")).Trim().Split(' ');
        Assert.Equal("runc", known[0]);
        Assert.EndsWith($"/libpod-{known[1]}", File.ReadAllText($"/proc/{known[2]}/cgroup").Trim(), StringComparison.Ordinal);
        Assert.Equal("gone", await Workload.StatusAsync(workload.Name));
    }
}
