using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Paths;

public sealed class MappedCandidatesTests : IDisposable
{
    private static readonly Candidate s_mapped = new(CandidateKind.Mapped, NetworkAddress.FromBytes([198, 51, 100, 7], 40_000));

    private readonly IDatagramSocket _socket = DatagramSocket.Open(new IPEndPoint(IPAddress.Loopback, 0));

    public void Dispose() => _socket.Dispose();

    [Fact]
    [Trait("Spec", "PATH-51")]
    public void A_mapped_address_stands_between_the_own_ones_and_the_reflexive_one_and_goes_with_its_mapping()
    {
        var reflexive = new Candidate(CandidateKind.Reflexive, NetworkAddress.FromBytes([198, 51, 100, 7], 50_000));
        var own = new OwnCandidates(_socket, allowDirectPaths: true) { Reflexive = reflexive, Mapped = [s_mapped] };

        Assert.Equal([new Candidate(CandidateKind.Host, _socket.Local), s_mapped, reflexive], own.For(new Instant(1), peer: default));
        own.Mapped = [];
        Assert.Equal([new Candidate(CandidateKind.Host, _socket.Local), reflexive], own.For(new Instant(1), peer: default));
    }

    [Fact]
    [Trait("Spec", "PATH-51")]
    public void An_address_that_is_mapped_and_reflexive_or_the_machine_s_own_is_told_once()
    {
        var own = new OwnCandidates(_socket, allowDirectPaths: true)
        {
            Reflexive = s_mapped with { Kind = CandidateKind.Reflexive }, Mapped = [s_mapped, new Candidate(CandidateKind.Mapped, _socket.Local)],
        };

        Assert.Equal([new Candidate(CandidateKind.Host, _socket.Local), s_mapped], own.For(new Instant(1), peer: default));
    }
}
