using System.Net;
using System.Net.NetworkInformation;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Paths;

public sealed class OwnCandidatesTests
{
    [Fact]
    public void When_the_machine_cannot_list_its_interfaces_the_last_list_stays()
    {
        using IDatagramSocket socket = DatagramSocket.Open(new IPEndPoint(IPAddress.Loopback, 0));
        Candidate candidate = new(CandidateKind.Host, socket.Local);
        bool isBroken = true;
        OwnCandidates own = new(socket, allowDirectPaths: true, (_, _) => isBroken ? throw new NetworkInformationException(19) : [candidate]);
        Instant now = new(1_000_000_000);
        Assert.Empty(own.For(now, peer: default));

        (isBroken, now) = (false, now + OwnCandidates.Freshness * 2);
        Assert.Equal([candidate], own.For(now, peer: default));
        (isBroken, now) = (true, now + OwnCandidates.Freshness * 2);
        Assert.Equal([candidate], own.For(now, peer: default));
    }
}
