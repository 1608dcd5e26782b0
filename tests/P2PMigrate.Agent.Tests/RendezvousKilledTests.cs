using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The rendezvous server, which may be the relay too, goes in mid-migration.</summary>
public sealed class RendezvousKilledTests
{
    // The promise is 60 s, the start of the new server and what its peers need to notice it included.
    // spec: PATH-81, CONST-268
    private static readonly TimeSpan s_absence = TimeSpan.FromSeconds(57);

    [Fact]
    [Trait("Spec", "RLY-20")]
    public async Task A_direct_migration_does_not_notice_that_the_server_is_gone()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await MigrateThroughAsync(peers, peers.KillRendezvousAsync, "direct");
    }

    [Fact]
    [Trait("Spec", "RLY-20")]
    public async Task A_relayed_migration_goes_on_when_the_server_is_back()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(NatKind.Symmetric);
        await MigrateThroughAsync(peers, ReplaceServerAsync, "relay");

        async Task ReplaceServerAsync()
        {
            await peers.KillRendezvousAsync();
            await Task.Delay(s_absence);
            await peers.StartRendezvousAsync();
        }
    }

    private static async Task MigrateThroughAsync(MigrationPeers peers, Func<Task> accident, string path)
    {
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 192, filesMegabytes: 192);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"progress\",\"phase\":\"copying\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await accident();

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(path, result.Text("path"));
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }
}
