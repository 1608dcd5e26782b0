using System.Text.Json;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Networks that let nothing out but TCP port 443: the shipped program gets through by TLS.</summary>
[Trait("Spec", "RLY-14")]
public sealed class UdpBlockedTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Where_only_port_443_is_open_peers_ping_and_transfer(bool isSourceBlocked, bool isTargetBlocked)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        if (isSourceBlocked)
            await BlockAsync(peers.Lab.SourceNat);
        if (isTargetBlocked)
            await BlockAsync(peers.Lab.TargetNat);
        string ticket = await peers.ReceiveAsync();

        CommandResult ping = await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json"]);
        Assert.True(ping.ExitCode == 0, ping.ToString());
        CommandResult speed = await peers.Source.RunAsync(MigrationPeers.Program, ["speedtest", ticket, "--json", "--seconds", "2"]);
        Assert.True(speed.ExitCode == 0, speed.ToString());
        JsonElement last = JsonDocument.Parse(speed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
        Assert.Equal("relay", last.GetProperty("path").GetString());
        TestContext.Current.TestOutputHelper?.WriteLine($"{last.GetProperty("mbitPerSecond").GetDouble():0} Mbit/s by TLS");
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_migration_whose_UDP_is_cut_half_way_completes(bool isSourceCut, bool isTargetCut)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 192, filesMegabytes: 192);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"progress\",\"phase\":\"copying\"", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        if (isSourceCut)
            await BlockAsync(peers.Lab.SourceNat);
        if (isTargetCut)
            await BlockAsync(peers.Lab.TargetNat);

        MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("relay", result.Text("path"));
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }

    private static async Task BlockAsync(LabNode router) => await router.ShellAsync(
        "nft add table ip wall && nft 'add chain ip wall pass { type filter hook forward priority filter - 10 ; policy drop ; }'"
        + " && nft add rule ip wall pass tcp dport 443 accept && nft add rule ip wall pass tcp sport 443 accept");
}
