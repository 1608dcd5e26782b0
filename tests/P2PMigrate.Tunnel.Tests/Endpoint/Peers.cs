using System.Net;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Gateway;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Endpoints on loopback, with or without a rendezvous server, and what tests do with them again and again.</summary>
internal sealed class Peers : IAsyncDisposable
{
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly List<TunnelEndpoint> _endpoints = [];
    private readonly List<PrivateIdentity> _identities = [];
    private readonly Dictionary<TunnelEndpoint, FilteredSocket> _sockets = [];
    private readonly List<FilteredSocket> _inner = [];

    private Peers(RendezvousServer? server) => Server = server;

    public RendezvousServer? Server { get; private set; }

    public TunnelEndpoint Source { get; private set; } = null!;

    public TunnelEndpoint Target { get; private set; } = null!;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Two endpoints that reach each other by the hints in tickets.</summary>
    public static Task<Peers> OpenAsync() => OpenAsync(server: null);

    /// <summary>Two endpoints and a server at which the target is registered.</summary>
    public static Task<Peers> OpenWithServerAsync(RendezvousServerOptions? options = null) =>
        OpenAsync(RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0), options));

    /// <summary>The same with a server that is also reached by TLS; with <paramref name="isUdpBlocked"/> in no other way.</summary>
    public static Task<Peers> OpenWithTlsAsync(bool isUdpBlocked = false) => OpenAsync(
        RendezvousServer.Start(
            new IPEndPoint(IPAddress.Loopback, 0), tls: new RendezvousTlsOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) }),
        isUdpBlocked);

    /// <summary>Ends the server and starts another one, which knows nothing of what was before, at the same address.</summary>
    public async Task ReplaceServerAsync(Task meanwhile)
    {
        IPEndPoint address = Server!.LocalEndPoint;
        await Server.DisposeAsync();
        await meanwhile;
        Server = RendezvousServer.Start(address);
    }

    /// <summary>Opens another endpoint, with an identity of its own; <paramref name="change"/> may alter its options.</summary>
    public Task<TunnelEndpoint> OpenOneAsync(Func<TunnelOptions, TunnelOptions>? change = null) => OpenOneAsync(DatagramSocket.Open, change);

    /// <summary>The same over a socket of the test's choice.</summary>
    public async Task<TunnelEndpoint> OpenOneAsync(
        Func<IPEndPoint, IDatagramSocket> open, Func<TunnelOptions, TunnelOptions>? change = null, IPortMapper? mapper = null)
    {
        PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        _identities.Add(identity);
        var options = new TunnelOptions
        {
            Identity = identity,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            RendezvousTlsPort = Server?.LocalTlsEndPoint is { } tls ? (ushort)tls.Port : null,
            Rendezvous = Server is null ? null : new ServerName("127.0.0.1", (ushort)Server.LocalEndPoint.Port),
            Logger = new TestLog(identity.PeerId.ToShortString()),
        };
        options = change?.Invoke(options) ?? options;
        var socket = new FilteredSocket(open(options.Listen));
        ServerAddresses? server = Server is null ? null : new ServerAddresses(NetworkAddress.From(Server.LocalEndPoint));
        TunnelEndpoint endpoint = TunnelEndpoint.Open(options, socket, server, portMapper: mapper);
        _endpoints.Add(endpoint);
        _sockets.Add(endpoint, socket);
        await endpoint.WaitRegisteredAsync(Token);
        return endpoint;
    }

    /// <summary>The key pair of an endpoint.</summary>
    public PrivateIdentity IdentityOf(TunnelEndpoint endpoint) => _identities.Find(identity => identity.PeerId == endpoint.PeerId)!;

    /// <summary>The firewall in front of an endpoint.</summary>
    public FilteredSocket FirewallOf(TunnelEndpoint endpoint) => _sockets[endpoint];

    /// <summary>From now on nothing of <paramref name="endpoint"/> leaves and nothing reaches it: its machine has lost its power.</summary>
    public void Kill(TunnelEndpoint endpoint) => FirewallOf(endpoint).Passes = _ => false;

    /// <summary>Nothing passes between the peers but what goes through the server.</summary>
    public void BlockDirectPaths()
    {
        NetworkAddress server = NetworkAddress.From(Server!.LocalEndPoint);
        foreach (FilteredSocket socket in _sockets.Values)
            socket.Passes = remote => remote == server;
    }

    /// <summary>Everything passes again.</summary>
    public void UnblockDirectPaths()
    {
        foreach (FilteredSocket socket in _sockets.Values)
            socket.Passes = _ => true;
    }

    /// <summary>The UDP of peers that had none passes, but to the server only.</summary>
    public void UnblockInside()
    {
        BlockDirectPaths();
        foreach (FilteredSocket socket in _inner)
            socket.Passes = static _ => true;
    }

    /// <summary>A session from the source to the target, with a fresh ticket.</summary>
    public Task<(TunnelSession Near, TunnelSession Far)> ConnectAsync() => ConnectAsync(Source, Target);

    /// <summary>A session from one endpoint to another, with a fresh ticket.</summary>
    public static async Task<(TunnelSession Near, TunnelSession Far)> ConnectAsync(TunnelEndpoint from, TunnelEndpoint to)
    {
        Ticket ticket = await to.IssueTicketAsync(Hour, Token);
        ValueTask<TunnelSession> accepting = to.AcceptAsync(Token);
        TunnelSession near = await from.DialAsync(ticket, Token);
        return (near, await accepting);
    }

    /// <summary>A stream of <paramref name="near"/> and its other end at <paramref name="far"/>, which is there once a byte has come.</summary>
    public static async Task<(ITunnelStream Near, ITunnelStream Far)> OpenStreamAsync(
        ITunnelSession near, ITunnelSession far, StreamPriority priority = StreamPriority.Bulk)
    {
        ITunnelStream opened = await near.OpenStreamAsync(priority, Token);
        await opened.Output.WriteAsync(new byte[1], Token);
        ITunnelStream accepted = await far.AcceptStreamAsync(Token);
        var first = await accepted.Input.ReadAsync(Token);
        accepted.Input.AdvanceTo(first.Buffer.GetPosition(1));
        return (opened, accepted);
    }

    /// <summary>Waits until data of <paramref name="session"/> takes a path of this kind.</summary>
    public static async Task<PathSummary> WaitForPathAsync(TunnelSession session, PathKind kind)
    {
        await foreach (PathSummary path in session.WatchPathAsync(Token))
        {
            if (path.Kind == kind)
                return path;
        }

        throw new InvalidOperationException($"The session ended before it had a {kind} path.");
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_endpoints.Select(endpoint => endpoint.DisposeAsync().AsTask()));
        foreach (PrivateIdentity identity in _identities)
            identity.Dispose();
        if (Server is not null)
            await Server.DisposeAsync();
    }

    private FilteredSocket OpenBlocked(IPEndPoint listen)
    {
        var socket = new FilteredSocket(DatagramSocket.Open(listen)) { Passes = static _ => false };
        _inner.Add(socket);
        return socket;
    }

    private static async Task<Peers> OpenAsync(RendezvousServer? server, bool isUdpBlocked = false)
    {
        var peers = new Peers(server);
        Func<IPEndPoint, IDatagramSocket> open = isUdpBlocked ? peers.OpenBlocked : DatagramSocket.Open;
        peers.Source = await peers.OpenOneAsync(open);
        peers.Target = await peers.OpenOneAsync(open);
        return peers;
    }
}
