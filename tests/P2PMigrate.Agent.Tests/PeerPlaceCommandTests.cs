using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The four stages with the shipped program and real CRIU, between machines behind NATs that have nothing in common but a tunnel.</summary>
public sealed class PeerPlaceCommandTests
{
    private const string Kept = "/var/lib/moves";

    [Fact]
    [Trait("Spec", "DEP-50")]
    [Trait("Spec", "DEP-55")]
    public async Task Stage_by_stage_a_container_moves_through_the_tunnel_by_one_ticket_and_comes_back_when_a_restore_fails()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 8, filesMegabytes: 4);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        string ticket = await peers.ReceiveAsync();

        Assert.Contains("p2pmigrate receive --place DIR", await StageAsync(peers.Source, 4, "prepare-data", ticket), StringComparison.Ordinal);
        await peers.Target.ShellAsync($"mkdir {Kept}");
        await ReceiveAgainAsync(peers);
        string prepared = await StageAsync(peers.Source, 0, "prepare-data", ticket);
        Assert.Contains(" 0 B were there already", prepared, StringComparison.Ordinal);
        Assert.DoesNotContain(ticket, prepared, StringComparison.Ordinal);
        string early = await StageAsync(peers.Target, 2, "restore-dump", Kept);
        Assert.Contains("next stage is create-dump, at the source", early, StringComparison.Ordinal);
        await StageAsync(peers.Target, 0, "import-data", Kept);

        await FailAndComeBackAsync(peers, early);
        Assert.Equal(before.Nonce, (await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5))).Nonce);

        string dumped = await StageAsync(peers.Source, 0, "create-dump", ticket);
        await TypeAsync(peers.Target, 0, dumped, "-s restore-dump");
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter >= before.Counter, $"the counter went from {before.Counter} to {after.Counter}");
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);

        Assert.Contains("the target has taken its dump", await TypeAsync(peers.Source, 6, dumped, "-s unfreeze"), StringComparison.Ordinal);
        await TypeAsync(peers.Source, 0, dumped, "--keep target");
        Assert.DoesNotContain(WitnessContainer.Name, await RunAsync(peers.Source, 0, "jobs"), StringComparison.Ordinal);
        Assert.NotNull(await WitnessContainer.AskAsync(peers.Target));
    }

    /// <summary>The target lacks CRIU; its program is started again meanwhile, and not there at first when the source wants its container back.</summary>
    private static async Task FailAndComeBackAsync(MigrationPeers peers, string early)
    {
        string dumped = await TypeAsync(peers.Source, 0, early, "-s create-dump");
        Assert.Null(await WitnessContainer.AskAsync(peers.Source));
        await peers.Target.ShellAsync("mv /usr/sbin/criu /usr/sbin/criu-away");
        string failed = await StageAsync(peers.Target, 8, "restore-dump", Kept);
        await peers.Target.ShellAsync("mv /usr/sbin/criu-away /usr/sbin/criu");
        Assert.Contains($"p2pmigrate migrate {WitnessContainer.Name} -s unfreeze", failed, StringComparison.Ordinal);

        await peers.Receive!.KillAsync(withDescendants: true, TestContext.Current.CancellationToken);
        Assert.Contains("stays frozen here, because the place of its dump cannot be asked", await TypeAsync(peers.Source, 6, dumped, "-s unfreeze"), StringComparison.Ordinal);
        await ReceiveAgainAsync(peers);
        Assert.Contains("was taken back and runs here as before", await TypeAsync(peers.Source, 0, dumped, "-s unfreeze"), StringComparison.Ordinal);
    }

    private static async Task ReceiveAgainAsync(MigrationPeers peers)
    {
        await peers.Receive!.DisposeAsync();
        await peers.ReceiveAsync("--place", Kept);
    }

    /// <summary>Types the command that a stage printed.</summary>
    private static Task<string> TypeAsync(VirtualHost host, int code, string printed, string what) =>
        RunAsync(host, code, printed.Split('\n').Single(line => line.Contains(what, StringComparison.Ordinal)).Split("p2pmigrate ")[1].Split(' '));

    private static Task<string> StageAsync(VirtualHost host, int code, string stage, string place) => RunAsync(host, code, "migrate", WitnessContainer.Name, "-s", stage, "-d", place);

    private static async Task<string> RunAsync(VirtualHost host, int code, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(MigrationPeers.Program, arguments);
        Assert.True(result.ExitCode == code, $"{string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Output}{result.Error}");
        return result.Output + result.Error;
    }
}
