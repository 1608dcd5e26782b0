using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;

namespace P2PMigrate.Agent.Tests;

/// <summary>What <c>--max-rate</c> leaves to others.</summary>
public sealed class MaxRateTests
{
    [Fact]
    [Trait("Spec", "MIG-122")]
    public async Task A_migration_sends_no_faster_than_it_was_told()
    {
        const double Megabits = 60;
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 4);
        string ticket = await peers.ReceiveAsync();

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket, "--max-rate", $"{Megabits}M");

        Assert.True(result.ExitCode == 0, result.Everything);
        double megabits = result.Last.GetProperty("wireBytes").GetInt64() * 8 / 1e6;
        double seconds = result.Last.GetProperty("totalMs").GetDouble() / 1e3;
        TestContext.Current.TestOutputHelper!.WriteLine($"{megabits:0} Mbit in {seconds:0.0} s");
        Assert.True(megabits < Megabits * seconds * 1.1, result.Everything);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }

    [Fact]
    public async Task A_rate_that_is_none_is_refused_before_anything_begins()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        MigrateResult result = await peers.MigrateAsync("nobody", "p2pm1none", "--max-rate", "50MB");
        Assert.True(result.ExitCode == 2, result.Everything);
        Assert.Contains("such as 50M", result.Text("reason"), StringComparison.Ordinal);
    }
}
