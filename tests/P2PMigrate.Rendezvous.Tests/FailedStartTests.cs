using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A server that cannot have all that it was to listen on: the reason is told, and every port is free at once.</summary>
[Trait("Spec", "RDV-20")]
public sealed class FailedStartTests
{
    private static readonly IPEndPoint s_anyPort = new(IPAddress.Loopback, 0);
    private static readonly IPAddress s_otherAddress = IPAddress.Parse("127.0.0.2");

    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_of_a_fleet_whose_second_port_is_taken_says_so_and_leaves_the_first_free()
    {
        using Socket taken = Take(SocketType.Dgram, ProtocolType.Udp);
        IPEndPoint main = FreeUdp(IPAddress.Loopback);
        var alternates = new RendezvousAlternates { OtherPort = PortOf(taken) };

        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => StartInFleetAsync(main, alternates));

        Assert.Contains($"UDP {taken.LocalEndPoint}", error.Message, StringComparison.Ordinal);
        var log = new KeptLog();
        await using RendezvousServer next = await StartInFleetAsync(main, alternates with { MayLackOtherPort = true }, logger: log);
        Assert.Equal((main, 0), (next.LocalEndPoint, next.Alternates.OtherPort));
        Assert.Contains(log.Lines, line => line.Contains("without its second port", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_TLS_port_that_is_taken_is_told_and_the_others_are_free_at_once()
    {
        using Socket taken = Take(SocketType.Stream, ProtocolType.Tcp);
        taken.Listen();
        IPEndPoint main = FreeUdp(IPAddress.Loopback), other = FreeUdp(s_otherAddress);
        var alternates = new RendezvousAlternates
        {
            OtherPort = 0,
            OtherAddress = other,
            Tls = new RendezvousTlsOptions { Listen = (IPEndPoint)taken.LocalEndPoint! },
        };

        for (int i = 0; i < 20; i++) // Each finds what the one before has left.
        {
            TunnelException error = Assert.Throws<TunnelException>(() => RendezvousServer.Start(main, alternates with { MayLackOtherPort = i % 2 == 0 }));
            Assert.Contains($"TCP {taken.LocalEndPoint}", error.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<TunnelException>(() => StartInFleetAsync(main, alternates));
        await using RendezvousServer server = RendezvousServer.Start(main, alternates with { Tls = null });
        Assert.Equal(other, server.Alternates.OtherAddress.ToEndPoint());
    }

    [Fact]
    public async Task Who_has_no_address_for_its_fleet_leaves_every_port_free()
    {
        IPEndPoint main = FreeUdp(IPAddress.Any), other = FreeUdp(s_otherAddress);
        var alternates = new RendezvousAlternates { OtherAddress = other, Tls = new RendezvousTlsOptions { Listen = FreeTcp() } };

        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => StartInFleetAsync(main, alternates));

        Assert.Contains("0.0.0.0", error.Message, StringComparison.Ordinal);
        await using RendezvousServer next = await StartInFleetAsync(main, alternates, new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal(alternates.Tls.Listen, next.LocalTlsEndPoint);
    }

    [Fact]
    public async Task A_second_address_that_is_taken_is_told_even_where_the_second_port_may_be_lacking()
    {
        using Socket taken = Take(SocketType.Dgram, ProtocolType.Udp);
        var alternates = new RendezvousAlternates { OtherPort = 0, MayLackOtherPort = true, OtherAddress = (IPEndPoint)taken.LocalEndPoint! };
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => StartInFleetAsync(s_anyPort, alternates));
        Assert.Contains($"UDP {taken.LocalEndPoint}", error.Message, StringComparison.Ordinal);
    }

    private Task<RendezvousServer> StartInFleetAsync(IPEndPoint listen, RendezvousAlternates alternates, IPEndPoint? address = null, ILogger? logger = null) => RendezvousServer.StartAsync(
        () => DatagramSocket.Open(listen), new MemoryDirectory(TimeProvider.System).Open(), address, options: null, logger, time: null, _token, alternates);

    private static Socket Take(SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        socket.Bind(s_anyPort);
        return socket;
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static IPEndPoint FreeTcp()
    {
        using Socket socket = Take(SocketType.Stream, ProtocolType.Tcp);
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static IPEndPoint FreeUdp(IPAddress address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }
}
