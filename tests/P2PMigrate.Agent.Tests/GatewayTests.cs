using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>What a gateway that maps ports is worth: the shipped program between two NATs that cannot be punched through.</summary>
public sealed class GatewayTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Spec", "PATH-51")]
    public async Task Peers_behind_two_symmetric_NATs_meet_directly_when_one_of_their_gateways_maps_ports(bool atTarget)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(NatKind.Symmetric);
        await using GatewayDaemon gateway = await GatewayDaemon.StartAsync(atTarget ? peers.Lab.TargetNat : peers.Lab.SourceNat);
        string ticket = await peers.ReceiveAsync();

        CommandResult ping = await PingAsync(peers, ticket);

        Assert.True(ping.ExitCode == 0, ping.ToString());
        Assert.Contains("\"path\":\"direct\"", ping.Output, StringComparison.Ordinal);
        if (!atTarget)
            Assert.Empty(await gateway.MappingsAsync());
    }

    [Fact]
    public async Task Told_to_leave_the_gateway_alone_the_same_peers_leave_no_mapping_and_have_only_the_relay()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(NatKind.Symmetric);
        await using GatewayDaemon gateway = await GatewayDaemon.StartAsync(peers.Lab.TargetNat);
        string ticket = await peers.ReceiveAsync("--no-port-mapping");

        CommandResult ping = await PingAsync(peers, ticket, "--no-port-mapping");

        Assert.Contains("\"path\":\"relay\"", ping.Output, StringComparison.Ordinal);
        Assert.Empty(await gateway.MappingsAsync());
    }

    [Fact]
    [Trait("Spec", "PATH-56")]
    public async Task A_program_that_is_interrupted_leaves_no_mapping_behind()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(NatKind.Symmetric);
        await using GatewayDaemon gateway = await GatewayDaemon.StartAsync(peers.Lab.TargetNat);
        string ticket = await peers.ReceiveAsync();
        await PingAsync(peers, ticket);
        Assert.NotEmpty(await gateway.MappingsAsync());

        peers.Receive!.Signal(UnixSignal.Interrupt);
        using var limit = new CancellationTokenSource(s_patience);
        await peers.Receive.WaitForExitAsync(limit.Token);

        Assert.Empty(await gateway.MappingsAsync());
    }

    private static Task<CommandResult> PingAsync(MigrationPeers peers, string ticket, params string[] options) =>
        peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json", .. options]);
}
