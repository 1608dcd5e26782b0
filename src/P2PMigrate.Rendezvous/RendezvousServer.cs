using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Rendezvous.Tls;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// A rendezvous and relay server: peers register here, find each other by their ids, and send each other sealed datagrams
/// through it while they have no better way. It sees who asks for whom, and ciphertext. One UDP socket, one thread, bounded
/// memory; on request, TLS connections for those who have no UDP. Any thread may use it.
/// </summary>
public sealed class RendezvousServer : IAsyncDisposable
{
    /// <summary>The port that is used when none is given.</summary>
    public const int DefaultPort = 3478;

    private readonly DatagramLoop _loop;
    private readonly RendezvousServerDriver _driver;
    private readonly ServerMirrors _mirrors;
    private readonly FleetLink? _fleet;
    private TlsListener? _tls;

    private RendezvousServer(ServerSockets sockets, IServerDirectory? directory, RendezvousServerOptions options, ILogger logger, TimeProvider? time)
    {
        var clock = new LoopClock(time ?? TimeProvider.System);
        _loop = new DatagramLoop(sockets.Main, clock);
        _mirrors = new ServerMirrors(sockets, clock, logger);
        _fleet = directory is null ? null : new FleetLink(directory, _loop);
        var core = new RendezvousServerCore(options, CryptographicEntropy.Instance, _mirrors.Alternates);
        _driver = new RendezvousServerDriver(core, _mirrors, _fleet, error => Log.StoppedOrFailed(logger, error));
        FleetAddress = options.Fleet?.Address.ToEndPoint();
    }

    /// <summary>Where it listens; the port is the real one.</summary>
    public IPEndPoint LocalEndPoint => _loop.Local.ToEndPoint();

    /// <summary>Where it listens besides, as clients are told; default for nowhere.</summary>
    public ServerAlternates Alternates => _mirrors.Alternates;

    /// <summary>Where the other servers of its fleet are told to reach it; null when it stands alone.</summary>
    public IPEndPoint? FleetAddress { get; }

    /// <summary>Where it listens for TLS, if it does; the port is the real one.</summary>
    public IPEndPoint? LocalTlsEndPoint => _tls?.Local;

    /// <summary>TLS connections that are there now, those that have said nothing yet included.</summary>
    public int TlsConnections => _tls?.Count ?? 0;

    /// <summary>What it holds and did, a moment ago.</summary>
    public RendezvousServerStatistics Statistics => _driver.Statistics;

    /// <summary>Completes, never faults, when the server has stopped: after disposal, or because of a fault of its own, which is logged.</summary>
    public Task Stopped => _loop.Ended;

    /// <summary>
    /// Starts to listen on <paramref name="listen"/>: one address, or <see cref="IPAddress.Any"/>, or
    /// <see cref="IPAddress.IPv6Any"/> for both families. Port 0 takes any free one. Throws <see cref="TunnelException"/>
    /// (<see cref="TunnelFailure.Local"/>) when that is not possible. With <paramref name="tls"/> it also serves peers that have no UDP.
    /// </summary>
    public static RendezvousServer Start(
        IPEndPoint listen, RendezvousServerOptions? options = null, ILogger? logger = null, TimeProvider? time = null, RendezvousTlsOptions? tls = null) =>
        Start(listen, new RendezvousAlternates { Tls = tls }, options, logger, time);

    /// <summary>The same with other sockets, by which clients learn what their NATs do.</summary>
    public static RendezvousServer Start(
        IPEndPoint listen, RendezvousAlternates alternates, RendezvousServerOptions? options = null, ILogger? logger = null, TimeProvider? time = null) =>
        Start(DatagramSocket.Open(listen), options, logger, time, alternates);

    /// <summary>
    /// The same, as one of several servers whose peers find each other through a Redis. Throws <see cref="TunnelException"/>
    /// (<see cref="TunnelFailure.Local"/>) too when that cannot be reached now; when it is lost later, the server goes on for its own peers.
    /// </summary>
    public static async Task<RendezvousServer> StartAsync(
        IPEndPoint listen, FleetOptions fleet, RendezvousAlternates? alternates = null, RendezvousServerOptions? options = null, ILogger? logger = null,
        TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        RedisDirectory directory = await RedisDirectory.ConnectAsync(fleet.Redis, logger ?? NullLogger.Instance).ConfigureAwait(false);
        return await StartAsync(() => DatagramSocket.Open(listen), directory, fleet.Address, options, logger, time, cancellationToken, alternates)
            .ConfigureAwait(false);
    }

    /// <summary>Stops, closes the socket and ends the thread. Peers notice by silence.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_tls is not null)
            await _tls.DisposeAsync().ConfigureAwait(false);
        await _mirrors.StopAsync().ConfigureAwait(false);
        _loop.Stop();
        await _loop.Ended.ConfigureAwait(false);
        if (_fleet is not null)
            await _fleet.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The same over any socket, which the server owns from then on; <paramref name="open"/> opens the others in its network.</summary>
    internal static RendezvousServer Start(
        IDatagramSocket socket, RendezvousServerOptions? options, ILogger? logger, TimeProvider? time, RendezvousAlternates? alternates = null,
        Func<IPEndPoint, IDatagramSocket>? open = null)
    {
        alternates ??= new RendezvousAlternates();
        logger ??= NullLogger.Instance;
        ServerSockets sockets = ServerSockets.Open(socket, alternates, open ?? DatagramSocket.Open, logger);
        try
        {
            var server = new RendezvousServer(sockets, directory: null, options ?? new RendezvousServerOptions(), logger, time);
            server.Run(sockets, alternates.Tls, logger);
            return server;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <summary>The same as one of several, with a directory of any kind, which the server owns from then on.</summary>
    internal static async Task<RendezvousServer> StartAsync(
        Func<IDatagramSocket> open, IServerDirectory directory, IPEndPoint? address, RendezvousServerOptions? options, ILogger? logger, TimeProvider? time,
        CancellationToken cancellationToken, RendezvousAlternates? alternates = null)
    {
        alternates ??= new RendezvousAlternates();
        logger ??= NullLogger.Instance;
        ServerSockets? sockets = null;
        try
        {
            sockets = ServerSockets.Open(open(), alternates, DatagramSocket.Open, logger);
            var self = new FleetMembership(ServerId.Create(CryptographicEntropy.Instance), ReachableAddress(address, sockets.Main.Local));
            var server = new RendezvousServer(sockets, directory, (options ?? new RendezvousServerOptions()) with { Fleet = self }, logger, time);
            await server._fleet!.JoinAsync(server._driver, self.Id, cancellationToken).ConfigureAwait(false); // before anybody can register
            server.Run(sockets, alternates.Tls, logger);
            return server;
        }
        catch
        {
            sockets?.Dispose();
            await directory.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // From here on the threads own the sockets. What can still fail comes first, when nothing runs yet.
    private void Run(ServerSockets sockets, RendezvousTlsOptions? tls, ILogger logger)
    {
        if (sockets.Tls is { } listener)
        {
            _tls = TlsListener.Start(listener, sockets.Main, tls!, logger);
            Log.ListeningTls(logger, _tls.Local);
        }

        _mirrors.Start();
        _loop.Start(_driver, $"rendezvous:{_loop.Local.Port}");
        Log.Listening(logger, _loop.Local);
    }

    private static NetworkAddress ReachableAddress(IPEndPoint? advertised, NetworkAddress local)
    {
        IPEndPoint address = advertised ?? local.ToEndPoint();
        NetworkAddress reachable = NetworkAddress.From(address.Address, address.Port == 0 ? local.Port : address.Port);
        if (reachable.IsUsable)
            return reachable;
        throw new TunnelException(TunnelFailure.Local, $"The other servers cannot reach {address}; an address of this machine has to be named for them.");
    }
}
