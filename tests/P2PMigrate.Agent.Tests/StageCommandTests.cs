using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The four stages of the original draft with the shipped program, real CRIU, and a directory that both machines see.</summary>
public sealed class StageCommandTests : IDisposable
{
    private const string Between = "/mnt/between";

    private readonly string _between = Directory.CreateTempSubdirectory("p2pmigrate-between-").FullName;

    [Fact]
    [Trait("Spec", "DEP-22")]
    [Trait("Spec", "DEP-24")]
    public async Task Stage_by_stage_a_container_moves_and_comes_back_when_a_restore_fails()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(binds: new BindMount(_between, Between));
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 8, filesMegabytes: 4);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        Assert.Contains("next stage is prepare-data, at the source", await StageAsync(peers.Target, 2, "restore-dump"), StringComparison.Ordinal);
        Assert.Contains("runs on here", await StageAsync(peers.Source, 0, "prepare-data"), StringComparison.Ordinal);
        Assert.Contains("next stage is create-dump, at the source", await StageAsync(peers.Target, 2, "restore-dump"), StringComparison.Ordinal);
        await StageAsync(peers.Target, 0, "import-data");
        Assert.NotNull(await WitnessContainer.AskAsync(peers.Source));

        await FailAndComeBackAsync(peers);
        Assert.Equal(before.Nonce, (await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5))).Nonce);

        string dumped = await StageAsync(peers.Source, 0, "create-dump");
        Assert.Contains("restore-dump", await RunAsync(peers.Source, 0, "jobs"), StringComparison.Ordinal);
        await StageAsync(peers.Target, 0, "restore-dump");
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter >= before.Counter, $"the counter went from {before.Counter} to {after.Counter}");
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);

        Assert.Contains("the target has taken its dump", await RunAsync(peers.Source, 6, "migrate", WitnessContainer.Name, "-s", "unfreeze"), StringComparison.Ordinal);
        await RunAsync(peers.Source, 0, [.. dumped.Split('\n').Single(line => line.Contains("--keep target", StringComparison.Ordinal)).Split("p2pmigrate ")[1].Split(' ')]);
        Assert.DoesNotContain(WitnessContainer.Name, await RunAsync(peers.Source, 0, "jobs"), StringComparison.Ordinal);
        Assert.NotNull(await WitnessContainer.AskAsync(peers.Target));
    }

    public void Dispose() => Directory.Delete(_between, recursive: true);

    /// <summary>The target lacks CRIU: nothing is left at the target, the source is frozen, and one command brings it back.</summary>
    private static async Task FailAndComeBackAsync(MigrationPeers peers)
    {
        await StageAsync(peers.Source, 0, "create-dump");
        Assert.Null(await WitnessContainer.AskAsync(peers.Source));
        await peers.Target.ShellAsync("mv /usr/sbin/criu /usr/sbin/criu-away");
        string failed = await StageAsync(peers.Target, 8, "restore-dump");
        await peers.Target.ShellAsync("mv /usr/sbin/criu-away /usr/sbin/criu");

        Assert.Contains($"p2pmigrate migrate {WitnessContainer.Name} -s unfreeze", failed, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(peers.Target.PathOf("/var/lib/p2pmigrate/containers")));
        Assert.Contains("was taken back and runs here as before", await RunAsync(peers.Source, 0, "migrate", WitnessContainer.Name, "-s", "unfreeze"), StringComparison.Ordinal);
    }

    private static Task<string> StageAsync(VirtualHost host, int code, string stage) => RunAsync(host, code, "migrate", WitnessContainer.Name, "-s", stage, "-d", Between);

    private static async Task<string> RunAsync(VirtualHost host, int code, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(MigrationPeers.Program, arguments);
        Assert.True(result.ExitCode == code, $"{string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Output}{result.Error}");
        return result.Output + result.Error;
    }
}
