using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>The talk with a server whose name has several addresses.</summary>
public sealed class RendezvousLinkTests
{
    private static readonly NetworkAddress s_first = NetworkAddress.FromBytes([198, 51, 100, 1], 3478);
    private static readonly NetworkAddress s_second = NetworkAddress.FromBytes([198, 51, 100, 2], 3478);

    // spec: RDV-18
    [Fact]
    public void A_server_that_went_silent_is_asked_everywhere_and_keeps_the_address_that_it_had()
    {
        Instant now = new(1_000_000_000);
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using var server = new RendezvousServerCore(new RendezvousServerOptions(), CryptographicEntropy.Instance);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity }, CryptographicEntropy.Instance);
        var link = new RendezvousLink(new ServerAddresses(s_first, s_second), client);
        client.Start(now);
        byte[] buffer = new byte[2048];
        Assert.True(client.TryPollTransmit(buffer, out int length));
        server.Handle(now, NetworkAddress.FromBytes([192, 0, 2, 7], 4000), buffer.AsSpan(0, length));
        Assert.True(server.TryPollTransmit(buffer, out _, out length));
        link.Handle(now, s_second, buffer.AsSpan(0, length));
        Assert.Equal((s_second, false), (link.Server, link.IsFrom(s_first)));

        link.HandleSilence(now);

        Assert.Equal(s_second, link.Server);
        Assert.True(link.IsFrom(s_first) && link.IsFrom(s_second));
        Assert.True(link.Has(s_first) && link.Has(s_second));
    }

    [Theory]
    [Trait("Spec", "RDV-50")]
    [InlineData("198.51.100.1", "203.0.113.9", true)]
    [InlineData("198.51.100.1", "10.0.0.9", false)]
    [InlineData("198.51.100.1", "127.0.0.1", false)]
    [InlineData("198.51.100.1", "100::a00:9", false)]
    [InlineData("10.0.0.1", "192.168.1.9", true)]
    [InlineData("10.0.0.1", "127.0.0.1", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("2001:db8::1", "fd00::9", false)]
    public void A_server_is_not_believed_that_a_peer_is_in_a_network_that_the_server_cannot_see(string server, string peer, bool isBelieved)
    {
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity }, CryptographicEntropy.Instance);
        var link = new RendezvousLink(new ServerAddresses(NetworkAddress.From(IPAddress.Parse(server), 3478)), client);

        Assert.Equal(isBelieved, link.MayVouchFor(NetworkAddress.From(IPAddress.Parse(peer), 5000)));
    }
}
