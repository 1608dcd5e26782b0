using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A lab with a server and two endpoints behind its NAT routers, and one session between them. One test owns it.</summary>
internal sealed class NattedPeers : IAsyncDisposable
{
    private readonly PrivateIdentity _near = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private readonly PrivateIdentity _far = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private NattedPeers(VirtualLab lab)
    {
        Lab = lab;
        Server = RendezvousServer.Start(
            Bind(lab.Rendezvous, LabAddresses.Rendezvous), options: null, logger: null, time: null,
            new RendezvousAlternates { OtherPort = 0, OtherAddress = new IPEndPoint(LabAddresses.RendezvousAlternate, 0) },
            local => Bind(lab.Rendezvous, local.Address));
        Source = Open(lab.Source, LabAddresses.Source, _near);
        Target = Open(lab.Target, LabAddresses.Target, _far);
    }

    public VirtualLab Lab { get; }

    public RendezvousServer Server { get; }

    /// <summary>The peer that dialled.</summary>
    public TunnelEndpoint Source { get; }

    /// <summary>The peer that was dialled.</summary>
    public TunnelEndpoint Target { get; }

    /// <summary>The session as the peer that dialled has it.</summary>
    public TunnelSession Near { get; private set; } = null!;

    /// <summary>The same as the peer that accepted it has it.</summary>
    public TunnelSession Far { get; private set; } = null!;

    /// <summary>Raises it with both peers behind NATs of one kind; skips the test where there is no power to.</summary>
    public static Task<NattedPeers> ConnectAsync(NatKind nat, CancellationToken cancellationToken) => ConnectAsync(nat, nat, cancellationToken);

    /// <summary>The same with NATs of two kinds, which each endpoint has found out.</summary>
    public static async Task<NattedPeers> ConnectAsync(NatKind source, NatKind target, CancellationToken cancellationToken)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        var peers = new NattedPeers(await VirtualLab.RaiseAsync(new LabOptions { SourceNat = source, TargetNat = target }, cancellationToken));
        await peers.Target.WaitRegisteredAsync(cancellationToken);
        await Task.WhenAll(peers.Source.WaitNatAsync(cancellationToken), peers.Target.WaitNatAsync(cancellationToken));
        Ticket ticket = await peers.Target.IssueTicketAsync(TimeSpan.FromMinutes(5), cancellationToken);
        ValueTask<TunnelSession> accepting = peers.Target.AcceptAsync(cancellationToken);
        peers.Near = await peers.Source.DialAsync(ticket, cancellationToken);
        peers.Far = await accepting;
        return peers;
    }

    public async ValueTask DisposeAsync()
    {
        await Target.DisposeAsync();
        await Source.DisposeAsync();
        _near.Dispose();
        _far.Dispose();
        await Server.DisposeAsync();
        await Lab.DisposeAsync();
    }

    private TunnelEndpoint Open(LabNode node, IPAddress address, PrivateIdentity identity)
    {
        var options = new TunnelOptions
        {
            Identity = identity,
            Rendezvous = new ServerName(LabAddresses.Rendezvous.ToString(), (ushort)Server.LocalEndPoint.Port),
        };
        return TunnelEndpoint.Open(options, Bind(node, address), new ServerAddresses(NetworkAddress.From(Server.LocalEndPoint)), bind: local => BindPlain(node, local.Address));
    }

    private static LinuxDatagramSocket Bind(LabNode node, IPAddress address) =>
        new(BindPlain(node, address), openSibling: () => BindPlain(node, address));

    private static Socket BindPlain(LabNode node, IPAddress address)
    {
        Socket socket = node.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }
}
