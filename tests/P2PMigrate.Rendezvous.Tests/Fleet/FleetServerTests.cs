using System.Net;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests.Fleet;

/// <summary>Real servers, a real Redis between them, real endpoints that have no path but the relay.</summary>
public sealed class FleetServerTests : IAsyncDisposable
{
    private static readonly IPEndPoint s_anyPort = new(IPAddress.Loopback, 0);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly List<IAsyncDisposable> _opened = [];
    private readonly List<PrivateIdentity> _identities = [];

    public async ValueTask DisposeAsync()
    {
        for (int index = _opened.Count; index-- > 0;)
            await _opened[index].DisposeAsync();
        _identities.ForEach(identity => identity.Dispose());
    }

    [Fact]
    [Trait("Spec", "RDV-46")]
    public async Task Peers_of_two_servers_meet_and_their_data_goes_through_both()
    {
        (_, RendezvousServer first, RendezvousServer second) = await OpenFleetAsync();
        TunnelEndpoint source = await OpenAsync(first, first);
        TunnelEndpoint target = await OpenAsync(first, second);
        await target.WaitRegisteredAsync(_token);

        Conversation met = await ConnectAsync(source, target);
        await EchoAsync(met, 1 << 20);

        Assert.Equal(PathKind.Relay, met.Near.PrimaryPath?.Kind);
        Assert.All([first, second], server => Assert.True(server.Statistics.BytesRelayed > 2 << 20));
        Assert.True(first.Statistics.OffersPassedOn > 0);
        Assert.True(second.Statistics.OffersTakenOver > 0);
    }

    [Fact]
    [Trait("Spec", "RDV-40")]
    public async Task A_killed_redis_disturbs_nobody_at_one_server_and_when_it_is_back_and_empty_all_are_found_again()
    {
        (RedisProcess redis, RendezvousServer first, RendezvousServer second) = await OpenFleetAsync();
        TunnelEndpoint source = await OpenAsync(first, first);
        TunnelEndpoint beside = await OpenAsync(first, first);
        TunnelEndpoint target = await OpenAsync(first, second);
        await beside.WaitRegisteredAsync(_token);
        await target.WaitRegisteredAsync(_token);
        Conversation met = await ConnectAsync(source, target);

        await redis.KillAsync();
        await EchoAsync(met, 100_000); // what stands goes on
        Conversation local = await ConnectAsync(source, beside);
        await EchoAsync(local, 100_000);

        await redis.StartAgainAsync(_token);
        met = await ConnectEventuallyAsync(source, target);
        await EchoAsync(met, 100_000);
    }

    [Fact]
    [Trait("Spec", "RDV-18")]
    public async Task A_peer_whose_server_dies_registers_with_another_of_the_fleet_and_is_found_there()
    {
        (RedisProcess redis, RendezvousServer first, RendezvousServer second) = await OpenFleetAsync();
        RendezvousServer third = await OpenServerAsync(redis);
        TunnelEndpoint source = await OpenAsync(first, first);
        TunnelEndpoint target = await OpenAsync(first, second, third);
        await target.WaitRegisteredAsync(_token);
        await ConnectAsync(source, target);

        await second.DisposeAsync();

        await UntilAsync(() => third.Statistics.Registrations == 1);
        Conversation met = await ConnectEventuallyAsync(source, target);
        await EchoAsync(met, 100_000);
        Assert.True(third.Statistics.FramesRelayed > 0);
    }

    // The session is the same all the time: no new handshake. At the end the two are at different servers, or at one.
    [Theory]
    [Trait("Spec", "RLY-32")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_whose_relay_dies_for_good_goes_on_through_the_other_servers_of_the_fleet(bool isTargetElsewhere)
    {
        (RedisProcess redis, RendezvousServer first, RendezvousServer second) = await OpenFleetAsync();
        RendezvousServer third = await OpenServerAsync(redis);
        TunnelEndpoint source = await OpenAsync(first, first, second);
        TunnelEndpoint target = await OpenAsync(first, first, isTargetElsewhere ? third : second);
        Conversation met = await ConnectAsync(source, target);
        await EchoAsync(met, 100_000);
        Assert.Equal(2, first.Statistics.Registrations);

        await first.DisposeAsync();

        await EchoAsync(met, 1 << 20);
        Assert.True(second.Statistics.BytesRelayed > 2 << 20);
        Assert.Equal(isTargetElsewhere, third.Statistics.BytesRelayed > 2 << 20);
    }

    [Fact]
    [Trait("Spec", "RLY-31")]
    public async Task A_session_through_two_servers_goes_on_when_one_of_them_dies_and_its_peer_finds_a_third()
    {
        (RedisProcess redis, RendezvousServer first, RendezvousServer second) = await OpenFleetAsync();
        RendezvousServer third = await OpenServerAsync(redis);
        TunnelEndpoint source = await OpenAsync(first, first);
        TunnelEndpoint target = await OpenAsync(first, second, third);
        await target.WaitRegisteredAsync(_token);
        Conversation met = await ConnectAsync(source, target);
        await EchoAsync(met, 100_000);

        await second.DisposeAsync();

        await EchoAsync(met, 1 << 20);
        Assert.All([first, third], server => Assert.True(server.Statistics.BytesRelayed > 2 << 20));
    }

    [Fact]
    public async Task A_server_without_an_address_that_others_reach_says_so()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync(_token);
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(
            () => RendezvousServer.StartAsync(new IPEndPoint(IPAddress.Any, 0), new FleetOptions { Redis = redis.Address }, cancellationToken: _token));
        Assert.Contains("0.0.0.0", error.Message, StringComparison.Ordinal);
        await using RendezvousServer named = await RendezvousServer.StartAsync(
            new IPEndPoint(IPAddress.Any, 0), new FleetOptions { Redis = redis.Address, Address = new IPEndPoint(IPAddress.Loopback, 0) }, cancellationToken: _token);
    }

    [Fact]
    public async Task A_server_whose_redis_is_not_there_does_not_start()
    {
        RedisProcess redis = await RedisProcess.StartAsync(_token);
        await redis.DisposeAsync();
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(
            () => RendezvousServer.StartAsync(s_anyPort, new FleetOptions { Redis = redis.Address }, cancellationToken: _token));
        Assert.Contains(redis.Address, error.Message, StringComparison.Ordinal);
    }

    private async Task<(RedisProcess Redis, RendezvousServer First, RendezvousServer Second)> OpenFleetAsync()
    {
        RedisProcess redis = await RedisProcess.StartAsync(_token);
        _opened.Add(redis);
        return (redis, await OpenServerAsync(redis), await OpenServerAsync(redis));
    }

    private async Task<RendezvousServer> OpenServerAsync(RedisProcess redis)
    {
        RendezvousServer server = await RendezvousServer.StartAsync(s_anyPort, new FleetOptions { Redis = redis.Address }, cancellationToken: _token);
        _opened.Add(server);
        return server;
    }

    // Registers with the first of the servers that answers; its tickets name another server of the fleet, as one name with several addresses would.
    private async Task<TunnelEndpoint> OpenAsync(RendezvousServer named, params RendezvousServer[] servers)
    {
        PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        _identities.Add(identity);
        var options = new TunnelOptions
        {
            Identity = identity,
            Listen = s_anyPort,
            Rendezvous = new ServerName("127.0.0.1", (ushort)named.LocalEndPoint.Port),
            AllowDirectPaths = false,
        };
        var addresses = new ServerAddresses([.. servers.Select(server => NetworkAddress.From(server.LocalEndPoint))]);
        TunnelEndpoint endpoint = TunnelEndpoint.Open(options, DatagramSocket.Open(s_anyPort), addresses);
        _opened.Add(endpoint);
        await endpoint.WaitRegisteredAsync(_token);
        return endpoint;
    }

    private Task<Conversation> ConnectAsync(TunnelEndpoint source, TunnelEndpoint target) => Conversation.BeginAsync(source, target, _token);

    // A peer that its fleet cannot find at this moment is told as unreachable or unknown; whoever dials tries again.
    private async Task<Conversation> ConnectEventuallyAsync(TunnelEndpoint source, TunnelEndpoint target)
    {
        ValueTask<TunnelSession> accepting = target.AcceptAsync(_token);
        for (long start = Environment.TickCount64; ;)
        {
            try
            {
                TunnelSession near = await source.DialAsync(await target.IssueTicketAsync(TimeSpan.FromMinutes(5), _token), _token);
                return new Conversation(near, await accepting);
            }
            catch (TunnelException) when (Environment.TickCount64 - start < s_patience.TotalMilliseconds)
            {
            }
        }
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (long start = Environment.TickCount64; !holds(); await Task.Delay(20, TestContext.Current.CancellationToken))
            Assert.True(Environment.TickCount64 - start < s_patience.TotalMilliseconds, "It does not come to that.");
    }

    private Task EchoAsync(Conversation conversation, int length)
    {
        byte[] sent = new byte[length];
        new Random(length).NextBytes(sent);
        return conversation.EchoAsync(sent, _token);
    }
}
