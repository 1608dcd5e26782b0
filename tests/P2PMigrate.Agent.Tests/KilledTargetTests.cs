using System.Diagnostics;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The target's program dies by SIGKILL: the container goes on at the source, and both sides end up clean.</summary>
public sealed class KilledTargetTests
{
    // The target's word that it is ready lies in the source's socket when the target dies: within the lease, and past it.
    private static readonly TimeSpan s_withinTheLease = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_pastTheLease = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_backWithin = TimeSpan.FromSeconds(15);

    [Theory]
    [InlineData("copying")]
    [InlineData("dumping")]
    [InlineData("held")]
    [InlineData("held past the lease")]
    public async Task A_target_killed_before_the_commit_leaves_the_container_running_at_the_source(string moment)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 192, filesMegabytes: 192);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        Leftovers source = await Leftovers.OnAsync(peers.Source);
        Leftovers target = await Leftovers.OnAsync(peers.Target);

        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        await ReachAsync(peers, migrate, moment);
        await peers.Receive!.KillAsync(cancellationToken: TestContext.Current.CancellationToken);
        long killed = Stopwatch.GetTimestamp();
        migrate.Signal(UnixSignal.Continue);

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 5, result.Everything);
        Testimony after = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        TimeSpan away = Stopwatch.GetElapsedTime(killed);
        Assert.Equal(("failed", "source"), (result.Text("event"), result.Text("runningAt")));
        Assert.True(away < s_backWithin, $"back after {away.TotalSeconds:0.0} s");
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter);
        Assert.Equal(source, await Leftovers.OnAsync(peers.Source));

        string next = await peers.ReceiveAsync();
        Assert.Equal(target, await Leftovers.OnAsync(peers.Target));
        MigrateResult second = await peers.MigrateAsync(WitnessContainer.Name, next);
        Assert.True(second.ExitCode == 0, second.Everything);
        Testimony moved = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, moved.Nonce);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }

    /// <summary>Waits for the moment; for <c>held</c> the source is stopped while CRIU builds the container, so that it cannot commit while it is held.</summary>
    private static async Task ReachAsync(MigrationPeers peers, LabProcess migrate, string moment)
    {
        TimeSpan limit = TimeSpan.FromSeconds(60);
        string awaited = moment switch
        {
            "copying" => """
                "event":"progress","phase":"copying"
                """,
            "dumping" => """
                "event":"phase","phase":"dumping"
                """,
            _ => """
                "event":"phase","phase":"restoring"
                """,
        };
        await migrate.Output.WaitForAsync(line => line.Contains(awaited.Trim(), StringComparison.Ordinal), limit);
        if (!moment.StartsWith("held", StringComparison.Ordinal))
            return;
        ContainerBundle bundle = ContainerBundle.Find(peers.Target, WitnessContainer.Name);
        for (long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds; !bundle.Pids.Any() && Environment.TickCount64 < deadline;)
            await Task.Delay(5);
        migrate.Signal(UnixSignal.Stop);
        Assert.NotEmpty(bundle.Pids);
        await Task.Delay(moment == "held" ? s_withinTheLease : s_pastTheLease);
    }
}
