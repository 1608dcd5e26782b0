using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Tunnel;
using NatFiltering = P2PMigrate.Protocol.Nat.NatFiltering;
using NatMapping = P2PMigrate.Protocol.Nat.NatMapping;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>What endpoints find out about the NATs before them, with a real server's other sockets.</summary>
public sealed class NatWatchTests(ITestOutputHelper output)
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    // spec: RDV-20, RDV-22, RDV-23, RDV-24
    [Fact]
    public async Task Without_a_NAT_everything_is_open()
    {
        await using RendezvousServer server = RendezvousServer.Start(
            new IPEndPoint(IPAddress.Loopback, 0), new RendezvousAlternates { OtherPort = 0, OtherAddress = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0) });
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint endpoint = await OpenAsync(identity, server);

        NatReport report = await endpoint.WaitNatAsync(_token);

        output.WriteLine(report.ToString());
        Assert.Equal(
            (NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, PortAllocation.Preserving),
            (report.Profile.Mapping, report.Profile.Filtering, report.Profile.Allocation));
        Assert.True(report is { HasOtherPort: true, HasOtherAddress: true, Hairpins: true });
        Assert.Equal(endpoint.LocalEndPoint, report.Observed.ToEndPoint());
    }

    // spec: RDV-20
    [Fact]
    public async Task A_server_with_one_socket_leaves_the_NAT_unknown()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint endpoint = await OpenAsync(identity, server);

        NatReport report = await endpoint.WaitNatAsync(_token);

        Assert.True(server.Alternates.IsNone);
        Assert.Equal((NatMapping.Unknown, NatFiltering.Unknown), (report.Profile.Mapping, report.Profile.Filtering));
    }

    [Fact]
    public async Task A_NAT_is_not_looked_at_without_a_server_or_direct_paths()
    {
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(new TunnelOptions { Identity = identity, Listen = new IPEndPoint(IPAddress.Loopback, 0) }, _token);
        TunnelException refusal = await Assert.ThrowsAsync<TunnelException>(() => endpoint.WaitNatAsync(_token));
        Assert.Equal(TunnelFailure.Local, refusal.Reason);
    }

    // spec: RDV-02, RDV-22
    [Fact]
    public async Task A_stranger_gets_no_more_bytes_from_the_other_sockets_than_it_sent()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0), new RendezvousAlternates { OtherPort = 0 });
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var mirror = new IPEndPoint(IPAddress.Loopback, server.Alternates.OtherPort);
        int sent = 0;
        for (int type = 0; type < 256; type++)
        {
            byte[] datagram = new byte[128];
            datagram[0] = 0x60;
            datagram[1] = (byte)type;
            sent += stranger.SendTo(datagram, mirror);
            sent += stranger.SendTo(datagram, server.LocalEndPoint);
        }

        int received = 0;
        byte[] buffer = new byte[2048];
        while (stranger.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectRead))
            received += stranger.Receive(buffer);
        Assert.InRange(received, 1, 3 * 128); // Two hellos, and a challenge for what wants one.
        Assert.True(received < sent);
    }

    [Fact]
    public async Task A_home_router_is_recognised()
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.PortRestricted, _token);

        NatReport report = await peers.Source.WaitNatAsync(_token);

        output.WriteLine(report.ToString());
        Assert.Equal(
            (NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, PortAllocation.Preserving),
            (report.Profile.Mapping, report.Profile.Filtering, report.Profile.Allocation));
        Assert.Equal(LabAddresses.SourceNat, report.Observed.ToIPAddress());
    }

    [Fact]
    public async Task A_NAT_with_a_random_port_for_each_destination_is_recognised()
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.Symmetric, _token);

        NatReport report = await peers.Source.WaitNatAsync(_token);

        output.WriteLine(report.ToString());
        Assert.Equal(
            (NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PortAllocation.Random),
            (report.Profile.Mapping, report.Profile.Filtering, report.Profile.Allocation));
    }

    private async Task<TunnelEndpoint> OpenAsync(PrivateIdentity identity, RendezvousServer server)
    {
        var options = new TunnelOptions
        {
            Identity = identity,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Rendezvous = new ServerName("127.0.0.1", (ushort)server.LocalEndPoint.Port),
        };
        return await TunnelEndpoint.OpenAsync(options, _token);
    }
}
