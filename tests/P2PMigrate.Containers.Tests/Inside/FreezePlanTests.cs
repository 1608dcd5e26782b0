using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>What is asked and started before a freeze: it touches nothing, and goes when nobody wants it any more.</summary>
public sealed class FreezePlanTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    [InsideFact]
    public async Task A_dump_that_waits_touches_nothing_and_goes_with_its_plan()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        IFreezePlan plan = await move.PlanAsync();
        await using (plan)
        {
            Assert.Contains("criu", Names(move.SourceDirectory));
            await workload.WaitForCountAsync(workload.Count + 5000);
            Assert.Equal("running", await Workload.StatusAsync(workload.Name));
        }

        Assert.Empty(OwnedProcesses.Find(move.SourceDirectory));
        Assert.Null(await Move.Runtime.ReopenFenceAsync(move.SourceDirectory, TestContext.Current.CancellationToken));
        await workload.WaitForCountAsync(workload.Count + 5000);
        Assert.False(File.Exists($"{workload.Root}/broken"));
    }

    [InsideFact]
    public async Task A_dump_that_waits_goes_when_its_program_is_killed_and_the_container_runs_on()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Plan_and_wait), workload.Name);
        string directory = $"/data/job-{workload.Name}/source";
        Assert.Contains("criu", Names(directory));
        await driver.KillAsync();

        Assert.True(await OwnedProcesses.WaitForEndAsync(directory, s_limit, TestContext.Current.CancellationToken));
        Assert.Null(await Move.Runtime.ReopenFenceAsync(directory, TestContext.Current.CancellationToken));
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
        await workload.WaitForCountAsync(workload.Count + 5000);
    }

    [InsideFact]
    public async Task A_plan_that_the_container_has_outlived_is_made_anew()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFreezePlan plan = await move.PlanAsync();
        int[] waiting = Pids(move.SourceDirectory);
        await Shell.RunAsync($"nsenter --net=/proc/{move.Container.InitPid}/ns/net ip addr add 192.0.2.1/32 dev lo");
        await using IFence fence = await plan.FreezeAsync(() => { }, TestContext.Current.CancellationToken);
        Assert.Empty(waiting.Intersect(Pids(move.SourceDirectory)));
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        Assert.Equal(frozenAt, workload.Count);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    public async Task A_plan_whose_dump_somebody_killed_is_made_anew()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFreezePlan plan = await move.PlanAsync();
        foreach (ProcessIdentity process in OwnedProcesses.Find(move.SourceDirectory)) process.Kill(); // Nothing is seized yet.
        Assert.True(await OwnedProcesses.WaitForEndAsync(move.SourceDirectory, s_limit, TestContext.Current.CancellationToken));
        await using IFence fence = await plan.FreezeAsync(() => { }, TestContext.Current.CancellationToken);
        await move.DumpAsync(fence);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(workload.Count + 5000);
    }

    [InsideFact]
    public async Task A_plan_for_a_container_that_is_gone_freezes_nothing()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFreezePlan plan = await move.PlanAsync();
        await Shell.RunAsync($"runc delete --force {workload.Name}");
        bool stopped = false;
        await Assert.ThrowsAsync<ContainerException>(() => plan.FreezeAsync(() => stopped = true, TestContext.Current.CancellationToken));
        Assert.False(stopped);
        Assert.Empty(OwnedProcesses.Find(move.SourceDirectory));
    }

    private static int[] Pids(string workDirectory) => [.. OwnedProcesses.Find(workDirectory).Select(process => process.Pid)];

    private static string[] Names(string workDirectory) =>
        [.. OwnedProcesses.Find(workDirectory).Select(process => File.ReadAllText($"/proc/{process.Pid}/comm").Trim())];
}
