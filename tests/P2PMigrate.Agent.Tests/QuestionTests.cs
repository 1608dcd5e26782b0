using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary><c>check CONTAINER --to TICKET</c> with the shipped program: both machines are looked at, and neither is touched.</summary>
public sealed class QuestionTests
{
    [Fact]
    [Trait("Spec", "MIG-170")]
    public async Task Both_peers_are_checked_and_the_ticket_is_still_good()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 1);
        string ticket = await peers.ReceiveAsync();
        Leftovers source = await Leftovers.OnAsync(peers.Source), target = await Leftovers.OnAsync(peers.Target);

        MigrateResult good = await CheckAsync(peers, ticket);
        Assert.True(good.ExitCode == 0, good.Everything);
        Assert.Contains("\"where\":\"here\"", good.Everything, StringComparison.Ordinal);
        Assert.Contains("\"where\":\"target\",\"subject\":\"criu version\"", good.Everything, StringComparison.Ordinal);
        Assert.Contains("\"severity\":\"good\",\"where\":\"target\",\"subject\":\"clock\"", good.Everything, StringComparison.Ordinal);
        Assert.Contains("\"where\":\"target\",\"subject\":\"disk\"", good.Everything, StringComparison.Ordinal);

        await peers.Target.ShellAsync($"mkdir -p /var/lib/p2pmigrate/containers/{WitnessContainer.Name}");
        MigrateResult taken = await CheckAsync(peers, ticket);
        Assert.True(taken.ExitCode == 3, taken.Everything);
        Assert.Contains($"The target has a bundle of the name '{WitnessContainer.Name}' already.", taken.Everything, StringComparison.Ordinal);
        await peers.Target.ShellAsync($"rmdir /var/lib/p2pmigrate/containers/{WitnessContainer.Name}");

        Assert.Equal((source, target), (await Leftovers.OnAsync(peers.Source), await Leftovers.OnAsync(peers.Target)));
        Assert.Equal(ticket, await peers.TicketAsync());
        MigrateResult idle = await peers.MigrateAsync(WitnessContainer.Name, ticket, "--for", "p2pk1");
        Assert.True(idle.ExitCode == 2, idle.Everything);
        MigrateResult moved = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(moved.ExitCode == 0, moved.Everything);
    }

    [Theory]
    [InlineData("+1h", "is 60 min ahead of the source's")]
    [InlineData("-40s", "is 40 s behind the source's")]
    [Trait("Spec", "MIG-185")]
    public async Task A_targets_clock_that_is_wrong_is_told_and_keeps_nothing_from_moving(string by, string difference)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 1);
        await ShownClock.PrepareAsync(peers.Target, by);
        peers.TargetEnvironment = ShownClock.Environment;
        string ticket = await peers.ReceiveAsync();

        MigrateResult check = await CheckAsync(peers, ticket);
        Assert.True(check.ExitCode == 0, check.Everything);
        Assert.Contains("\"severity\":\"warning\",\"where\":\"target\",\"subject\":\"clock\"", check.Everything, StringComparison.Ordinal);
        Assert.Contains(difference, check.Everything, StringComparison.Ordinal);

        MigrateResult moved = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(moved.ExitCode == 0, moved.Everything);
    }

    private static async Task<MigrateResult> CheckAsync(MigrationPeers peers, string ticket)
    {
        await using LabProcess check = await peers.Source.StartAsync(MigrationPeers.Program, ["check", WitnessContainer.Name, "--to", ticket, "--json"]);
        return await MigrationPeers.EndOfAsync(check);
    }
}
