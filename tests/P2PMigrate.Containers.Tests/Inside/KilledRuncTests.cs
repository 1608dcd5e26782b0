using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>runc dies in the middle of a dump; CRIU, whose parent it was, does not.</summary>
public sealed class KilledRuncTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Nothing freezes the container again before CRIU has let go of it: its processes would not answer CRIU any more, and neither end.</summary>
    [InsideFact]
    [Trait("Spec", "MIG-91")]
    public async Task A_container_goes_on_whose_runc_was_killed_wherever_criu_was()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        foreach (string line in new[] { "Seized task", "Collecting fds", "Parasite syscall_ip", "Sent msg to daemon", "Dumping GP/FPU registers" })
        {
            File.Delete($"{move.SourceDirectory}/dump.log");
            RuncRuntime runtime = await RuncGround.BehindAsync(KillingAt(line));
            await using IFreezePlan plan = await runtime.PrepareFreezeAsync(move.Container, move.SourceDirectory, Token);
            await using IFence fence = await plan.FreezeAsync(() => { }, Token);
            ulong frozenAt = workload.Count;

            ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence, new DiscardedPages()));

            Assert.Contains("could not be dumped", failure.Message, StringComparison.Ordinal);
            Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.SourceDirectory));
            Assert.Equal(("paused", frozenAt), (await Workload.StatusAsync(workload.Name), workload.Count));
            await fence.ThawAsync(Token);
            await workload.WaitForCountAsync(frozenAt + 5000);
        }
    }

    /// <summary>Kills <c>runc checkpoint</c> once CRIU's log has a line.</summary>
    private static string KillingAt(string line) => $$"""
        case " $* " in *" checkpoint "*)
            log=$(sed 's/.* --work-path \([^ ]*\) .*/\1/' <<<" $* ")/dump.log
            runc "$@" & program=$!
            while kill -0 $program 2>/dev/null && ! grep -q '{{line}}' $log 2>/dev/null; do :; done
            kill -9 $program; wait $program; exit 137;;
        esac
        """;
}
