using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>A container that comes back to the machine it left.</summary>
public sealed class ThereAndBackTests
{
    private const string BackTicket = "/tmp/back-ticket";

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

        await using LabProcess receive = await peers.Source.StartAsync(MigrationPeers.Program,
            ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--ticket-file", BackTicket, "--once", "--json"]);
        await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        string ticket = (await peers.Source.ReadTextAsync(BackTicket)).Trim();
        await using LabProcess migrate = await peers.Target.StartAsync(
            MigrationPeers.Program, ["migrate", WitnessContainer.Name, "--to", ticket, "--json", "--mode", "stop-and-copy"]);
        MigrateResult back = await MigrationPeers.EndOfAsync(migrate);
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
