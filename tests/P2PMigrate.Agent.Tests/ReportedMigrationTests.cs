using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;

namespace P2PMigrate.Agent.Tests;

/// <summary>What <c>--report</c> leaves of a real migration, and of one that did not happen.</summary>
public sealed class ReportedMigrationTests
{
    [Fact]
    public async Task A_migration_leaves_a_page_that_says_what_the_last_line_says()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 48, filesMegabytes: 24);
        string ticket = await peers.ReceiveAsync();

        MigrateResult failed = await peers.MigrateAsync("nobody", ticket, "--report", "/data/failed.html");
        Assert.True(failed.ExitCode == 3, failed.Everything);
        Assert.Contains("still runs at the source", await peers.Source.ReadTextAsync("/data/failed.html"), StringComparison.Ordinal);
        MigrateResult refused = await peers.MigrateAsync(WitnessContainer.Name, ticket, "--report", "/nowhere/report.html");
        Assert.True(refused.ExitCode == 2, refused.Everything);

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket, "--report", "/data/report.html", "--max-rate", "200M");
        Assert.True(result.ExitCode == 0, result.Everything);
        string page = await peers.Source.ReadTextAsync("/data/report.html");
        foreach (string expected in new[] { "witness", "runs at the target", "Where the downtime went", "Rounds while the container ran", result.Text("path")! })
            Assert.Contains(expected, page, StringComparison.Ordinal);
    }
}
