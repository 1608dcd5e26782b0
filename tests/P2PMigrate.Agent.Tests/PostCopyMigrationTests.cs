using System.Text.Json;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary><c>--mode post-copy</c> with the shipped program between two NATs: the container runs at the target before its memory is there, and has all of it in the end, whatever happens to the link or to a program meanwhile.</summary>
public sealed class PostCopyMigrationTests
{
    private const int Megabytes = 96;
    private const string Slowly = "100M"; // what follows takes 8 s

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(20);

    [Fact]
    [Trait("Spec", "MIG-102")]
    [Trait("Spec", "MIG-103")]
    public async Task A_container_runs_before_its_memory_is_there_and_has_all_of_it_in_the_end()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (string ticket, Testimony before) = await StartAsync(peers);

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket, "--mode", "post-copy", "--report", "/data/report.html");

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("completed", result.Text("event"));
        Assert.Contains("\"event\":\"memoryFollows\",\"container\":\"witness\",\"runningAt\":\"target\"", result.Everything, StringComparison.Ordinal);
        Assert.Contains("\"event\":\"phaseFinished\",\"phase\":\"giving\"", result.Everything, StringComparison.Ordinal);
        Assert.InRange(result.Last.GetProperty("frozenMemoryBytes").GetInt64(), 0, 8 << 20); // the rest was left
        Assert.InRange(result.Last.GetProperty("bytesSent").GetInt64(), Megabytes << 20, long.MaxValue);
        Assert.Contains("phase-giving", await peers.Source.ReadTextAsync("/data/report.html"), StringComparison.Ordinal);
        await AssertMovedAsync(peers, before);
    }

    [Fact]
    [Trait("Spec", "MIG-120")]
    public async Task A_link_that_is_away_for_twenty_seconds_while_memory_follows_costs_time()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (string ticket, Testimony before) = await StartAsync(peers);
        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket, "--mode", "post-copy", "--max-rate", Slowly);
        await WaitForGivingAsync(migrate);

        await peers.Lab.CutAsync(peers.Source);
        await Task.Delay(s_away, TestContext.Current.CancellationToken);
        await peers.Lab.HealAsync(peers.Source);

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("completed", result.Text("event"));
        await AssertMovedAsync(peers, before);
    }

    [Theory]
    [Trait("Spec", "MIG-105")]
    [InlineData("receive")]
    [InlineData("resume")]
    [InlineData("migrate")]
    public async Task A_source_that_is_killed_while_memory_follows_gives_the_rest_when_it_is_started_again(string command)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (string ticket, Testimony before) = await StartAsync(peers);
        await using (LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket, "--mode", "post-copy", "--max-rate", Slowly))
        {
            await WaitForGivingAsync(migrate);
            await migrate.KillAsync(cancellationToken: TestContext.Current.CancellationToken);
        }

        JsonElement job = await ListedAsync(peers);
        Assert.Equal("giving", job.GetProperty("state").GetString());
        await using LabProcess started = await peers.Source.StartAsync(MigrationPeers.Program, command switch
        {
            "receive" => ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--json"],
            "resume" => ["resume", job.GetProperty("jobId").GetString()!, "--json"],
            _ => ["migrate", WitnessContainer.Name, "--to", "p2pm1nothing", "--json"],
        });
        string said = await started.Output.WaitForAsync(line => line.Contains("\"event\":\"recovered\"", StringComparison.Ordinal) && !line.Contains("\"action\":\"indoubt\"", StringComparison.Ordinal), s_limit);

        Assert.Contains("\"action\":\"destroyed\",\"runningAt\":\"target\"", said, StringComparison.Ordinal);
        await AssertMovedAsync(peers, before);
    }

    /// <summary>Who gives and keeps the pages goes on beside it; the source looks for the program until one is there.</summary>
    [Fact]
    [Trait("Spec", "MIG-105")]
    public async Task A_target_that_is_killed_while_memory_follows_takes_the_rest_when_it_is_started_again()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (string ticket, Testimony before) = await StartAsync(peers);
        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket, "--mode", "post-copy", "--max-rate", Slowly);
        await WaitForGivingAsync(migrate);
        await peers.Receive!.KillAsync(cancellationToken: TestContext.Current.CancellationToken);
        await peers.ReceiveAsync();

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(("recovered", "destroyed", "target"), (result.Text("event"), result.Text("action"), result.Text("runningAt")));
        await AssertMovedAsync(peers, before);
    }

    /// <summary>Nobody is to decide anything: the container runs at the target, and what it lacks is at the source. When both programs are there again, it comes.</summary>
    [Fact]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-105")]
    public async Task While_the_target_cannot_be_met_the_copy_at_the_source_is_kept_whatever_is_typed()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        (string ticket, Testimony before) = await StartAsync(peers);
        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket, "--mode", "post-copy", "--max-rate", Slowly);
        await WaitForGivingAsync(migrate);
        await peers.Receive!.KillAsync(cancellationToken: TestContext.Current.CancellationToken);

        await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"targetAsked\"", StringComparison.Ordinal), s_limit); // it looks for the target until it is told to stop
        migrate.Signal(UnixSignal.Interrupt);
        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        TestContext.Current.TestOutputHelper!.WriteLine(result.Everything);
        Assert.True(result.ExitCode == 6, result.Everything);
        Assert.Equal(("failed", "target"), (result.Text("event"), result.Text("runningAt")));
        AssertNothingToDecide(result.Last.ToString());
        string job = (await peers.Source.ShellAsync("basename $(ls /var/lib/p2pmigrate/journal/*.journal) .journal")).Trim();
        foreach (string typed in new[] { $"resolve {job} --keep source", $"resolve {job} --keep target", $"abort {job}" })
        {
            CommandResult refused = await peers.Source.RunAsync(MigrationPeers.Program, [.. typed.Split(' '), "--json"]);
            TestContext.Current.TestOutputHelper!.WriteLine($"{typed}: {refused.Output}");
            Assert.True(refused.ExitCode is 2 or 6, refused.Output);
            AssertNothingToDecide(refused.Output);
        }

        JsonElement listed = await ListedAsync(peers);
        Assert.Equal(("giving", "target"), (listed.GetProperty("state").GetString(), listed.GetProperty("runningAt").GetString()));
        Assert.Equal($"p2pmigrate resume {job}", listed.GetProperty("commands")[0].GetString());
        AssertNothingToDecide(listed.ToString());

        await peers.ReceiveAsync();
        await using LabProcess started = await peers.Source.StartAsync(MigrationPeers.Program, ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--json"]);
        await started.Output.WaitForAsync(line => line.Contains("\"action\":\"destroyed\",\"runningAt\":\"target\"", StringComparison.Ordinal), s_limit);
        await AssertMovedAsync(peers, before);
    }

    /// <summary>Unless the target is lost for good.</summary>
    private static void AssertNothingToDecide(string said)
    {
        Assert.Contains("p2pmigrate resume ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("--keep target", said, StringComparison.Ordinal);
        Assert.DoesNotMatch("--keep source(?! --target-is-lost)", said);
    }

    private static async Task<JsonElement> ListedAsync(MigrationPeers peers)
    {
        JsonElement job = JsonDocument.Parse(await peers.Source.ShellAsync($"{MigrationPeers.Program} jobs --json")).RootElement;
        TestContext.Current.TestOutputHelper!.WriteLine(job.ToString());
        return job;
    }

    private static async Task<(string Ticket, Testimony Before)> StartAsync(MigrationPeers peers)
    {
        await WitnessContainer.StartAsync(peers.Source, peers.Target, Megabytes, filesMegabytes: 4);
        string ticket = await peers.ReceiveAsync();
        await WitnessContainer.WaitAsync(peers.Source, s_limit);
        return (ticket, (await WitnessContainer.AskAsync(peers.Source, "sum"))!);
    }

    private static Task<string> WaitForGivingAsync(LabProcess migrate) =>
        migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"progress\",\"phase\":\"giving\"", StringComparison.Ordinal), s_limit);

    /// <summary>The same process with the same memory, at the target, and nothing of the job on either side.</summary>
    private static async Task AssertMovedAsync(MigrationPeers peers, Testimony before)
    {
        await WitnessContainer.WaitAsync(peers.Target, s_limit);
        Testimony after = (await WitnessContainer.AskAsync(peers.Target, "sum"))!;
        Assert.Equal((before.Nonce, before.Sum), (after.Nonce, after.Sum));
        Assert.True(after.Counter > before.Counter, $"{before.Counter}, then {after.Counter}");
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
        Assert.Null(await ContainerBundle.Find(peers.Source, WitnessContainer.Name).StatusAsync());
        foreach (VirtualHost host in new[] { peers.Source, peers.Target })
            Assert.Equal("", await JobsLeftAsync(host));
    }

    /// <summary>The target's program ends its job a moment after the source's.</summary>
    private static async Task<string> JobsLeftAsync(VirtualHost host)
    {
        const string List = "find /var/lib/p2pmigrate/jobs /var/lib/p2pmigrate/journal -mindepth 1 -maxdepth 1 2>/dev/null || true";
        for (long deadline = Environment.TickCount64 + 10_000; Environment.TickCount64 < deadline; await Task.Delay(100))
        {
            if ((await host.ShellAsync(List)).Length == 0)
                return "";
        }

        return $"{host.Name}: {await host.ShellAsync(List)}";
    }
}
