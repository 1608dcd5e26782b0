using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The source's link swallows everything for 20 s, in each phase: the migration goes on where it was.</summary>
public sealed class LinkAwayTests
{
    private const int Megabytes = 96;
    private const int RoundMegabytes = 40;

    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(20);

    // What a sender may have had in flight when the link went away, and has to send again: far less than any content here.
    private const long Window = 16 << 20;

    [Theory]
    [Trait("Spec", "MIG-120")]
    [InlineData("progress", "copying", "pre-copy")]
    [InlineData("phase", "copying (round 1)", "pre-copy")]
    [InlineData("progress", "dumping", "stop-and-copy")]
    public async Task A_link_that_is_away_for_twenty_seconds_costs_time_and_nothing_else(string sign, string phase, string mode)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, Megabytes, Megabytes);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        await using LabProcess migrate = await peers.StartMigrateAsync(
            WitnessContainer.Name, ticket, "--mode", mode, "--downtime-target", "0ms", "--max-rate", "300M");
        if (phase != "copying")
            await GiveTheNextRoundWorkAsync(peers, migrate);
        await migrate.Output.WaitForAsync(line => line.Contains($"\"event\":\"{sign}\",\"phase\":\"{phase}\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await peers.Lab.CutAsync(peers.Source);
        await Task.Delay(s_away);
        string seen = migrate.Output.Text;
        await peers.Lab.HealAsync(peers.Source);
        Assert.True(PhaseOf(seen) == phase, $"the cut came too late:\n{seen}");

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.True(result.Last.GetProperty("totalMs").GetDouble() > s_away.TotalMilliseconds, result.Everything);
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter, $"{before.Counter}, then {after.Counter}");
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
        Assert.Equal("", await TreeComparison.DifferencesAsync(peers));
        AssertNothingSentTwice(result);
    }

    // A phase has to last for longer than it takes to cut the link.
    private static async Task GiveTheNextRoundWorkAsync(MigrationPeers peers, LabProcess migrate)
    {
        await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"progress\",\"phase\":\"copying\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await peers.Source.ShellAsync($"head -c {RoundMegabytes}M /dev/urandom > /data/{WitnessContainer.Name}/rootfs/srv/late");
    }

    /// <summary>
    /// Content went into the tunnel once: no more than there is. And out of it once: what left this machine is that, its headers, and what was in flight when the link went away.
    /// </summary>
    private static void AssertNothingSentTwice(MigrateResult result)
    {
        long given = result.Last.GetProperty("bytesSent").GetInt64();
        long wire = result.Last.GetProperty("wireBytes").GetInt64();
        long content = result.Last.GetProperty("memoryBytes").GetInt64() + result.Last.GetProperty("rootfsBytes").GetInt64();
        TestContext.Current.TestOutputHelper!.WriteLine($"{content} bytes of content, {given} given to the tunnel, {wire} on the wire");
        Assert.InRange(given, 2L * Megabytes << 20, content + Window);
        Assert.InRange(wire, given, (given * 21 / 20) + Window);
    }

    /// <summary>The phase that was the last to begin.</summary>
    private static string PhaseOf(string transcript)
    {
        string start = "\"event\":\"phase\",\"phase\":\"";
        int at = transcript.LastIndexOf(start, StringComparison.Ordinal) + start.Length;
        return transcript[at..transcript.IndexOf('"', at)];
    }
}
