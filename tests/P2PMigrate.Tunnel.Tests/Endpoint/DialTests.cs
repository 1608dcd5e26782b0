using System.Net;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>When a dial is over, and what it takes until then.</summary>
public sealed class DialTests
{
    private static readonly RendezvousServerOptions s_noRelay = new() { MaxChannels = 0 };

    [Fact]
    public async Task Without_a_relay_a_dial_returns_when_a_direct_path_is_proven()
    {
        await using Peers peers = await Peers.OpenWithServerAsync(s_noRelay);
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, Peers.Token);
        TunnelSession near = await peers.Source.DialAsync(ticket with { Hints = [] }, Peers.Token);
        Assert.Equal(PathKind.Direct, near.PrimaryPath?.Kind);
        await Peers.OpenStreamAsync(near, await peers.Target.AcceptAsync(Peers.Token));
    }

    [Fact]
    public async Task Without_a_relay_and_without_a_direct_path_a_dial_fails_with_that_reason()
    {
        await using Peers peers = await Peers.OpenWithServerAsync(s_noRelay);
        TunnelEndpoint hasty = await peers.OpenOneAsync(options => options with { Parameters = options.Parameters with { IdleTimeout = TimeSpan.FromSeconds(1) } });
        peers.BlockDirectPaths();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, Peers.Token);
        TunnelException failure = await Assert.ThrowsAsync<TunnelException>(() => hasty.DialAsync(ticket with { Hints = [] }, Peers.Token).AsTask());
        Assert.Equal(TunnelFailure.PeerUnreachable, failure.Reason);
        Assert.Contains("does not relay", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dials_of_one_identity_at_the_same_time_all_arrive()
    {
        await using Peers peers = await Peers.OpenAsync();
        const int Dials = 6;
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, Peers.Token);
        TunnelSession[] sessions = await Task.WhenAll(Enumerable.Range(0, Dials).Select(_ => peers.Source.DialAsync(ticket, Peers.Token).AsTask()));
        for (int i = 0; i < Dials; i++)
            await peers.Target.AcceptAsync(Peers.Token);
        Assert.Equal(Dials, sessions.Distinct().Count());
    }

    // spec: RDV-18
    [Fact]
    public async Task A_server_whose_first_address_is_dead_is_reached_at_the_next()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        NetworkAddress alive = NetworkAddress.From(server.LocalEndPoint), dead = NetworkAddress.From(IPAddress.Parse("127.0.0.77"), alive.Port);
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        TunnelOptions options = new() { Identity = identity, Rendezvous = new ServerName("meet.example", alive.Port), Listen = new(IPAddress.Loopback, 0) };
        await using TunnelEndpoint endpoint = TunnelEndpoint.Open(options, DatagramSocket.Open(options.Listen), new ServerAddresses(dead, alive));
        await endpoint.WaitRegisteredAsync(Peers.Token);
    }

    // spec: RDV-18
    [Fact]
    public void Addresses_of_a_server_have_one_order_and_are_asked_one_after_the_other()
    {
        IPAddress[] resolved = [.. new[] { "2001:db8::1", "203.0.113.9", "203.0.113.10", "198.51.100.4", "198.51.100.4", "2001:db8::2" }.Select(IPAddress.Parse)];
        ServerAddresses addresses = ServerAddresses.From(resolved, 3478);
        Assert.Equal(["198.51.100.4:3478", "203.0.113.9:3478", "203.0.113.10:3478", "[2001:db8::1]:3478"], addresses.All.Select(address => address.ToString()));
        Assert.Equal(addresses.All, ServerAddresses.From(Enumerable.Reverse(resolved), 3478).All);
        Assert.Equal([1, 1, 2, 4, 4], new[] { 0, 499, 500, 1_500, 60_000 }.Select(ms => addresses.CountAfter(TimeSpan.FromMilliseconds(ms))));
    }
}
