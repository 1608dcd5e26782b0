using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;

namespace P2PMigrate.Agent.Tests;

/// <summary>A container that comes back to the machine it left.</summary>
public sealed class ThereAndBackTests
{
    [Fact]
    [Trait("Spec", "MIG-140")]
    public async Task A_container_that_comes_back_sends_memory_and_what_changed()
    {
        const int FilesMegabytes = 24;
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: FilesMegabytes);
        MigrateResult there = await peers.MigrateAsync(WitnessContainer.Name, await peers.ReceiveAsync("--once"), "--mode", "stop-and-copy");
        Assert.True(there.ExitCode == 0, there.Everything);
        Testimony before = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));

        MigrateResult back = await peers.MigrateBackAsync(WitnessContainer.Name, "--mode", "stop-and-copy");
        Assert.True(back.ExitCode == 0, back.Everything);

        Testimony after = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Source, "check"))!.Wrong);
        (long memory, long sentThere, long sentBack) = (Bytes(back, "memoryBytes"), Bytes(there, "wireBytes"), Bytes(back, "wireBytes"));
        TestContext.Current.TestOutputHelper!.WriteLine($"there {sentThere}, back {sentBack}, of memory {memory}, root file system {Bytes(back, "rootfsBytes")}");
        Assert.True(sentThere > FilesMegabytes << 20, there.Everything);
        Assert.True(sentBack < memory + (4 << 20), back.Everything);
    }

    private static long Bytes(MigrateResult result, string property) => result.Last.GetProperty(property).GetInt64();
}
