using System.Text.Json;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The speed test between two hosts behind NATs, seen from the command line.</summary>
public sealed class SpeedtestCommandTests
{
    [Fact]
    public async Task A_speed_test_says_how_fast_each_path_is_and_spends_no_ticket()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        string ticket = await peers.ReceiveAsync();

        JsonElement direct = await TestAsync(peers, ticket, "--streams", "2");
        Assert.Equal(("completed", "direct"), (direct.GetProperty("event").GetString(), direct.GetProperty("path").GetString()));
        JsonElement reverse = await TestAsync(peers, ticket, "--reverse", "--cipher", "chacha20-poly1305", "--rate", "20");
        Assert.Equal("chacha20-poly1305", reverse.GetProperty("cipher").GetString());
        Assert.InRange(reverse.GetProperty("mbitPerSecond").GetDouble(), 0.1, 25);
        Assert.Equal(ticket, await peers.TicketAsync());
    }

    [Fact]
    public async Task A_speed_test_with_an_impossible_wish_or_a_dead_peer_says_so()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        string ticket = await peers.ReceiveAsync();
        Assert.Equal(2, (await RunAsync(peers, ticket, "--streams", "65")).ExitCode);
        Assert.Equal(2, (await RunAsync(peers, ticket, "--cipher", "rot13")).ExitCode);
        await peers.Receive!.KillAsync(withDescendants: true, TestContext.Current.CancellationToken);
        Assert.Equal(4, (await RunAsync(peers, ticket, "--seconds", "1")).ExitCode);
    }

    private static async Task<JsonElement> TestAsync(MigrationPeers peers, string ticket, params string[] options)
    {
        CommandResult result = await RunAsync(peers, ticket, ["--seconds", "1", .. options]);
        Assert.True(result.ExitCode == 0, result.ToString());
        JsonElement last = JsonDocument.Parse(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
        Assert.True(last.GetProperty("mbitPerSecond").GetDouble() > 0 && last.GetProperty("cpuSecondsPerGB").GetDouble() > 0);
        return last;
    }

    private static Task<CommandResult> RunAsync(MigrationPeers peers, string ticket, params string[] options) =>
        peers.Source.RunAsync(MigrationPeers.Program, ["speedtest", ticket, "--json", .. options]);
}
