using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>CRIU dies in the middle of a dump, or is to die and does not.</summary>
public sealed class KilledCriuTests
{
    private const int TriesMax = 10;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    [Trait("Spec", "MIG-15")]
    public async Task What_ends_other_programs_without_meaning_them_does_not_end_a_dump()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFreezePlan plan = await move.PlanAsync();
        int criu = OwnedProcesses.Find(move.SourceDirectory).Select(process => process.Pid).First(pid => File.ReadAllText($"/proc/{pid}/comm") == "criu\n");
        string allowed = await Shell.RunAsync("{ echo -1000 > /proc/self/oom_score_adj; } 2>/dev/null || :; cat /proc/self/oom_score_adj"); // takes CAP_SYS_RESOURCE
        Assert.Equal(allowed, (await File.ReadAllTextAsync($"/proc/{criu}/oom_score_adj", Token)).Trim());

        await Shell.RunAsync($"kill -TERM {criu}; kill -HUP {criu}; kill -INT {criu}");
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);

        Assert.Equal(frozenAt, workload.Count);
        Assert.True(await fence.ThawAsync(Token));
        await workload.WaitForCountAsync(frozenAt + 5000);
        Assert.NotEqual("-1000", (await File.ReadAllTextAsync($"/proc/{move.Container.InitPid}/oom_score_adj", Token)).Trim());
    }

    /// <summary>Some processes survive it and some do not, by what they were made to run at that instant. What is said of it is true either way.</summary>
    [InsideFact]
    [Trait("Spec", "MIG-14")]
    public async Task Of_a_container_whose_CRIU_was_killed_it_is_said_whether_it_goes_on()
    {
        foreach (string line in new[] { "Seized task", "Collecting fds", "Parasite syscall_ip", "Parasite syscall_ip", "Sent msg to daemon", "Dumping GP/FPU registers" })
        {
            int tries = 0;
            while (!await IsSaidAsync(line)) Assert.True(++tries < TriesMax, $"{line}: CRIU had ended in {tries} dumps before it was killed.");
        }
    }

    /// <summary>False when CRIU had ended before it was killed, as on a busy machine it may.</summary>
    private static async Task<bool> IsSaidAsync(string line)
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        RuncRuntime runtime = await RuncGround.BehindAsync(KillingAt(line));
        await using IFreezePlan plan = await runtime.PrepareFreezeAsync(move.Container, move.SourceDirectory, Token);
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);

        Exception? failure = await Record.ExceptionAsync(() => move.DumpAsync(fence, new DiscardedPages()));
        bool runs = await fence.ThawAsync(Token);
        if (failure is null) return false;

        TestContext.Current.TestOutputHelper?.WriteLine($"{line}: {(runs ? "runs" : "ended")}");
        Assert.Contains("CRIU broke off", Assert.IsType<ContainerException>(failure).Message, StringComparison.Ordinal);
        Assert.Equal(runs ? "running" : "stopped", await Workload.StatusAsync(workload.Name));
        if (runs) await workload.WaitForCountAsync(workload.Count + 5000);
        else Assert.StartsWith($"runc delete {workload.Name} && runc run ", runtime.StartCommand(workload.Name, move.Container.BundlePath), StringComparison.Ordinal);
        Assert.Null(await runtime.ReopenFenceAsync(move.SourceDirectory, Token));
        return true;
    }

    /// <summary>Kills the CRIU that runc has started, once its log has a line.</summary>
    private static string KillingAt(string line) => $$"""
        case " $* " in *" checkpoint "*)
            log=$(sed 's/.* --work-path \([^ ]*\) .*/\1/' <<<" $* ")/dump.log
            runc "$@" & program=$!
            while kill -0 $program 2>/dev/null && ! grep -q '{{line}}' $log 2>/dev/null; do :; done
            for child in $(cat /proc/$program/task/*/children); do kill -9 $child; done
            wait $program; exit $?;;
        esac
        """;
}
