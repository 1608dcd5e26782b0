using System.Net;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Paths;

public sealed class HostCandidatesTests
{
    [Fact]
    public void Addresses_that_lead_further_come_first_and_bridges_of_container_engines_last()
    {
        InterfaceAddress[] addresses =
        [
            new("docker0", IPAddress.Parse("172.17.0.1"), IsVirtual: true),
            new("lo", IPAddress.Loopback, IsVirtual: false),
            new("eth0", IPAddress.Parse("fe80::1"), IsVirtual: false),
            new("eth0", IPAddress.Parse("169.254.3.4"), IsVirtual: false),
            new("eth0", IPAddress.Parse("2001:db8::7"), IsVirtual: false),
            new("eth0", IPAddress.Parse("192.168.1.7"), IsVirtual: false),
            new("eth1", IPAddress.Parse("203.0.113.9"), IsVirtual: false),
        ];

        Assert.Equal(
            ["203.0.113.9", "2001:db8::7", "192.168.1.7", "127.0.0.1", "172.17.0.1"],
            HostCandidates.Rank(addresses).Select(address => address.ToString()));
    }

    [Fact]
    public void A_socket_bound_to_one_address_has_that_candidate_alone()
    {
        using IDatagramSocket socket = DatagramSocket.Open(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal([new Candidate(CandidateKind.Host, socket.Local)], HostCandidates.Gather(socket, includeLoopback: false));
    }

    [Fact]
    public void A_socket_bound_to_all_has_loopback_only_on_demand_and_never_too_many()
    {
        using IDatagramSocket socket = DatagramSocket.Open(new IPEndPoint(IPAddress.Any, 0));
        IReadOnlyList<Candidate> without = HostCandidates.Gather(socket, includeLoopback: false);
        IReadOnlyList<Candidate> with = HostCandidates.Gather(socket, includeLoopback: true);

        Assert.DoesNotContain(without, candidate => IPAddress.IsLoopback(candidate.Address.ToIPAddress()));
        Assert.Contains(with, candidate => IPAddress.IsLoopback(candidate.Address.ToIPAddress()) || with.Count == HostCandidates.MaxCount);
        Assert.All(with, candidate => Assert.Equal(socket.Local.Port, candidate.Address.Port));
        Assert.InRange(with.Count, 1, HostCandidates.MaxCount);
    }
}
