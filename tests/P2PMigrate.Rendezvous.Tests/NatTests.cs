using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>Two endpoints behind the lab's NAT routers and a server between them: real kernels translate the addresses.</summary>
public sealed class NatTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Peers_behind_port_restricted_NATs_punch_through()
    {
        await using VirtualLab lab = await RaiseAsync(NatKind.PortRestricted, NatKind.PortRestricted);
        await using RendezvousServer server = StartServer(lab);
        using PrivateIdentity near = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using PrivateIdentity far = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint source = Open(lab.Source, LabAddresses.Source, near, server);
        await using TunnelEndpoint target = Open(lab.Target, LabAddresses.Target, far, server);

        (TunnelSession session, TunnelSession accepted) = await ConnectAsync(source, target);
        PathSummary there = await WaitForDirectAsync(session);
        PathSummary back = await WaitForDirectAsync(accepted);
        await SendAsync(session, accepted, 4_000_000);

        output.WriteLine($"{session.Timings} {there}");
        Assert.StartsWith(LabAddresses.TargetNat.ToString(), there.Remote, StringComparison.Ordinal);
        Assert.StartsWith(LabAddresses.SourceNat.ToString(), back.Remote, StringComparison.Ordinal);
        Assert.Equal(PathKind.Direct, session.PrimaryPath?.Kind);
    }

    [Fact]
    public async Task Peers_behind_NATs_that_map_per_destination_use_the_relay()
    {
        await using VirtualLab lab = await RaiseAsync(NatKind.Symmetric, NatKind.Symmetric);
        await using RendezvousServer server = StartServer(lab);
        using PrivateIdentity near = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using PrivateIdentity far = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint source = Open(lab.Source, LabAddresses.Source, near, server);
        await using TunnelEndpoint target = Open(lab.Target, LabAddresses.Target, far, server);

        (TunnelSession session, TunnelSession accepted) = await ConnectAsync(source, target);
        await SendAsync(session, accepted, 4_000_000);

        output.WriteLine($"{session.Timings} {session.PrimaryPath}");
        Assert.Equal((PathKind.Relay, PathKind.Relay), (session.PrimaryPath?.Kind, accepted.PrimaryPath?.Kind));
        Assert.True(server.Statistics.BytesRelayed > 4_000_000);
    }

    [Fact]
    public async Task A_session_is_lost_at_both_ends_when_a_cable_is_pulled()
    {
        await using VirtualLab lab = await RaiseAsync(NatKind.PortRestricted, NatKind.PortRestricted);
        await using RendezvousServer server = StartServer(lab);
        using PrivateIdentity near = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using PrivateIdentity far = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint source = Open(lab.Source, LabAddresses.Source, near, server);
        await using TunnelEndpoint target = Open(lab.Target, LabAddresses.Target, far, server);
        (TunnelSession session, TunnelSession accepted) = await ConnectAsync(source, target);

        await lab.CutAsync(lab.Target, _token);

        TimeSpan within = TimeSpan.FromSeconds(12);
        Assert.True((await session.Completion.WaitAsync(within, _token)).IsLost);
        Assert.True((await accepted.Completion.WaitAsync(within, _token)).IsLost);
    }

    private async Task<VirtualLab> RaiseAsync(NatKind source, NatKind target)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        return await VirtualLab.RaiseAsync(new LabOptions { SourceNat = source, TargetNat = target }, _token);
    }

    private static RendezvousServer StartServer(VirtualLab lab) =>
        RendezvousServer.Start(Bind(lab.Rendezvous, LabAddresses.Rendezvous), options: null, logger: null, time: null);

    private static TunnelEndpoint Open(LabNode node, IPAddress address, PrivateIdentity identity, RendezvousServer server)
    {
        var options = new TunnelOptions
        {
            Identity = identity,
            Rendezvous = new ServerName(LabAddresses.Rendezvous.ToString(), (ushort)server.LocalEndPoint.Port),
        };
        return TunnelEndpoint.Open(options, Bind(node, address), NetworkAddress.From(server.LocalEndPoint));
    }

    private static LinuxDatagramSocket Bind(LabNode node, IPAddress address)
    {
        Socket socket = node.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return new LinuxDatagramSocket(socket);
    }

    private async Task<(TunnelSession Near, TunnelSession Far)> ConnectAsync(TunnelEndpoint source, TunnelEndpoint target)
    {
        await target.WaitRegisteredAsync(_token);
        Ticket ticket = await target.IssueTicketAsync(TimeSpan.FromMinutes(5), _token);
        ValueTask<TunnelSession> accepting = target.AcceptAsync(_token);
        TunnelSession session = await source.DialAsync(ticket, _token);
        return (session, await accepting);
    }

    private async Task<PathSummary> WaitForDirectAsync(TunnelSession session)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        patience.CancelAfter(s_patience);
        await foreach (PathSummary path in session.WatchPathAsync(patience.Token))
        {
            if (path.Kind == PathKind.Direct)
                return path;
        }

        throw new InvalidOperationException("The session ended before it had a direct path.");
    }

    private async Task SendAsync(TunnelSession near, TunnelSession far, int bytes)
    {
        ITunnelStream from = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        Task sending = Task.Run(
            async () =>
            {
                await from.Output.WriteAsync(new byte[bytes], _token);
                await from.Output.CompleteAsync();
            },
            _token);
        ITunnelStream to = await far.AcceptStreamAsync(_token);
        using var received = new MemoryStream();
        await to.Input.CopyToAsync(received, _token);
        await sending;
        Assert.Equal(bytes, received.Length);
    }
}
