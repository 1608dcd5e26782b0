using P2PMigrate.Agent.Tests.Faults;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>A source that does not know how its job ended asks the target, over the same NATs, without a ticket and without anybody's word.</summary>
public sealed class DoubtTests
{
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(60);

    /// <summary>Before the commit is heard, and when the container runs at the target: the target's word ends the doubt either way, whatever asks for it.</summary>
    [Theory]
    [InlineData("source committed", "receive")]
    [InlineData("source committed", "resume")]
    [InlineData("source committed", "migrate")]
    [InlineData("source destroying", "receive")]
    [Trait("Spec", "MIG-194")]
    public async Task A_source_that_was_killed_is_put_right_by_whatever_is_started_there(string moment, string command)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        Testimony before = await KillSourceAsync(peers, moment);

        await using LabProcess started = await peers.Source.StartAsync(MigrationPeers.Program, command switch
        {
            "receive" => ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--json"],
            "resume" => ["resume", await JobAsync(peers.Source), "--json"],
            _ => ["migrate", WitnessContainer.Name, "--to", "p2pm1nothing", "--json"],
        });
        string said = await started.Output.WaitForAsync(line => line.Contains("\"event\":\"recovered\"", StringComparison.Ordinal) && !line.Contains("\"action\":\"indoubt\"", StringComparison.Ordinal), s_settled);

        bool hasMoved = said.Contains("\"runningAt\":\"target\"", StringComparison.Ordinal);
        Testimony after = await WitnessContainer.WaitAsync(hasMoved ? peers.Target : peers.Source, s_settled);
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter, said);
        Assert.Equal("", (await Leftovers.OnAsync(peers.Source)).Frozen);
        Assert.DoesNotContain("/journal/", (await Leftovers.OnAsync(peers.Source)).Jobs, StringComparison.Ordinal);
    }

    /// <summary>The target's program is started again while the source still asks.</summary>
    [Fact]
    [Trait("Spec", "MIG-193")]
    public async Task A_target_that_was_killed_as_it_confirmed_answers_after_its_restart()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 32, filesMegabytes: 16);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, s_settled);
        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(await Moment.Find("target releasing").ReachAsync(peers, migrate));
        await peers.Lab.CutAsync(peers.Source);         // what the target says from here on is not heard
        peers.Receive!.Signal(UnixSignal.Continue);
        Testimony there = await WitnessContainer.WaitAsync(peers.Target, s_settled);
        await peers.Receive.KillAsync();
        await peers.Lab.HealAsync(peers.Source);

        await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"targetAsked\"", StringComparison.Ordinal), TimeSpan.FromMinutes(3));
        await peers.ReceiveAsync();
        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(("recovered", "destroyed", "target"), (result.Text("event"), result.Text("action"), result.Text("runningAt")));
        Assert.Equal(before.Nonce, there.Nonce);
        Assert.True((await WitnessContainer.WaitAsync(peers.Target, s_settled)).Counter > there.Counter);
    }

    private static async Task<Testimony> KillSourceAsync(MigrationPeers peers, string moment)
    {
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 32, filesMegabytes: 16);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, s_settled);
        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(await Moment.Find(moment).ReachAsync(peers, migrate), "The moment did not come.");
        await migrate.KillAsync();
        return before;
    }

    private static async Task<string> JobAsync(VirtualHost host) =>
        (await host.ShellAsync("basename $(ls /var/lib/p2pmigrate/journal/*.journal) .journal")).Trim();
}
