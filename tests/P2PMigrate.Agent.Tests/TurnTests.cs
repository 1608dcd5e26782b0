using System.Text.Json;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The shipped program with a real coturn, between two NATs that cannot be punched through.</summary>
public sealed class TurnTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [Trait("Spec", "TURN-07")]
    public async Task Peers_whose_rendezvous_server_cannot_relay_meet_by_the_TURN_server_of_one_of_them(bool atSource, bool atTarget)
    {
        await using MigrationPeers peers = await RaiseAsync();
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        await DropRelayedAsync(peers);
        string ticket = await peers.ReceiveAsync([.. Quiet, .. Turn(atTarget)]);

        JsonElement ping = Last(await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet, .. Turn(atSource)]));
        Assert.Equal("turn", ping.GetProperty("path").GetString());
        JsonElement speed = Last(await peers.Source.RunAsync(
            MigrationPeers.Program, ["speedtest", ticket, "--json", "--seconds", "2", .. Quiet, .. Turn(atSource)]));
        Assert.Equal("turn", speed.GetProperty("path").GetString());
        double rate = speed.GetProperty("mbitPerSecond").GetDouble();
        Assert.True(rate > 1, speed.ToString());
        TestContext.Current.TestOutputHelper?.WriteLine($"{rate:0} Mbit/s by TURN");
    }

    [Fact]
    [Trait("Spec", "TURN-07")]
    public async Task A_TURN_server_is_preferred_to_the_relay_and_a_direct_path_to_both()
    {
        await using MigrationPeers peers = await RaiseAsync(NatKind.PortRestricted);
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        string ticket = await peers.ReceiveAsync([.. Quiet, .. Turn(true)]);

        JsonElement direct = Last(await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet]));
        Assert.Equal("direct", direct.GetProperty("path").GetString());
        await peers.Lab.SourceNat.ShellAsync(
            "nft add table ip wall && nft 'add chain ip wall pass { type filter hook forward priority filter - 10 ; }'"
            + $" && nft add rule ip wall pass ip daddr {LabAddresses.TargetNat} drop");
        JsonElement relayed = Last(await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet]));
        Assert.Equal("turn", relayed.GetProperty("path").GetString());
    }

    [Fact]
    [Trait("Spec", "TURN-08")]
    public async Task With_a_wrong_password_the_rendezvous_server_relays_and_the_log_says_so_once()
    {
        await using MigrationPeers peers = await RaiseAsync();
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        string ticket = await peers.ReceiveAsync([.. Quiet, "--turn", TurnDaemon.WrongAddress]);

        JsonElement ping = Last(await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet]));

        Assert.Equal("relay", ping.GetProperty("path").GetString());
        Assert.Single(peers.Receive!.Error.Text.Split('\n'), line => line.Contains("refuses the user name or the password", StringComparison.Ordinal));
        Assert.DoesNotContain("another@", peers.Receive.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "TURN-08")]
    public async Task A_TURN_server_that_is_full_or_silent_ends_no_session()
    {
        await using MigrationPeers peers = await RaiseAsync();
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous, quota: 1);
        string ticket = await peers.ReceiveAsync([.. Quiet, .. Turn(true)]);

        CommandResult full = await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet, .. Turn(true)]);
        Assert.Equal("turn", Last(full).GetProperty("path").GetString()); // By the target's.
        Assert.Contains("as many allocations as it may have", full.Error, StringComparison.Ordinal);
        string silentServer = TurnDaemon.Address.Replace($":{TurnDaemon.Port}", ":9", StringComparison.Ordinal);
        CommandResult silent = await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. Quiet, "--turn", silentServer]);
        Assert.Equal("turn", Last(silent).GetProperty("path").GetString());
    }

    [Fact]
    [Trait("Spec", "TURN-03")]
    public async Task Nothing_is_left_on_the_TURN_server_when_the_program_ends()
    {
        await using MigrationPeers peers = await RaiseAsync();
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        string ticket = await peers.ReceiveAsync(Quiet);

        Last(await peers.Source.RunAsync("/usr/bin/env", [$"P2PMIGRATE_TURN={TurnDaemon.Address}", MigrationPeers.Program, "ping", ticket, "--json", .. Quiet]));

        await turn.Log.WaitForAsync(line => line.Contains("lifetime=0", StringComparison.Ordinal), s_patience, TestContext.Current.CancellationToken);
        Assert.Contains(": new, ", turn.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "TURN-08")]
    public async Task A_TURN_server_that_begins_anew_in_mid_transfer_is_done_without_and_used_again()
    {
        await using MigrationPeers peers = await RaiseAsync();
        TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        string ticket = await peers.ReceiveAsync([.. Quiet, .. Turn(true)]);
        await using LabProcess speed = await peers.Source.StartAsync(MigrationPeers.Program, ["speedtest", ticket, "--json", "--seconds", "180", "--verbose", .. Quiet]);
        await TakesAsync(speed, "Turn");

        await turn.DisposeAsync();
        await TakesAsync(speed, "Turn", "Relay");
        await using TurnDaemon next = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        await TakesAsync(speed, "Turn", "Relay", "Turn"); // The pause before the next question has grown to 10 or 20 s by now.
    }

    [Fact]
    public async Task A_container_migrates_by_TURN()
    {
        await using MigrationPeers peers = await RaiseAsync();
        await using TurnDaemon turn = await TurnDaemon.StartAsync(peers.Lab.Rendezvous);
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 64, filesMegabytes: 16);
        string ticket = await peers.ReceiveAsync([.. Quiet, .. Turn(true)]);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket);

        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("turn", result.Text("path"));
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }

    // The session has taken paths of these kinds, one after the other, or does so within two minutes.
    private static Task<string> TakesAsync(LabProcess program, params string[] kinds)
    {
        int taken = 0;
        return program.Error.WaitForAsync(
            line => line.Contains($"now takes the {kinds[taken]} path", StringComparison.Ordinal) && ++taken == kinds.Length,
            TimeSpan.FromMinutes(2),
            TestContext.Current.CancellationToken);
    }

    private static string[] Quiet => ["--no-port-mapping", "--no-punching"];

    private static string[] Turn(bool isUsed) => isUsed ? ["--turn", TurnDaemon.Address] : [];

    private static async Task<MigrationPeers> RaiseAsync(NatKind? nat = null)
    {
        Assert.SkipUnless(TurnDaemon.IsInstalled, "coturn is not installed; tests/install does that.");
        return await MigrationPeers.RaiseAsync(nat ?? NatKind.Symmetric);
    }

    // The rendezvous server never sees a frame of its relay: the first byte of one is 0x70.
    private static Task<string> DropRelayedAsync(MigrationPeers peers) => peers.Lab.Rendezvous.ShellAsync(
        "nft add table ip deaf && nft 'add chain ip deaf enter { type filter hook input priority filter - 10 ; }'"
        + " && nft add rule ip deaf enter udp dport 3478 @th,64,8 0x70 drop");

    private static JsonElement Last(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonDocument.Parse(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
    }
}
