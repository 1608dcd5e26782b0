using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// A rendezvous and relay server: peers register here, find each other by their ids, and send each other sealed datagrams
/// through it while they have no better way. It sees who asks for whom, and ciphertext. One UDP socket, one thread, bounded
/// memory. Any thread may use it.
/// </summary>
public sealed class RendezvousServer : IAsyncDisposable
{
    /// <summary>The port that is used when none is given.</summary>
    public const int DefaultPort = 3478;

    private readonly DatagramLoop _loop;
    private readonly RendezvousServerDriver _driver;

    private RendezvousServer(DatagramLoop loop, RendezvousServerDriver driver)
    {
        _loop = loop;
        _driver = driver;
    }

    /// <summary>Where it listens; the port is the real one.</summary>
    public IPEndPoint LocalEndPoint => _loop.Local.ToEndPoint();

    /// <summary>What it holds and did, a moment ago.</summary>
    public RendezvousServerStatistics Statistics => _driver.Statistics;

    /// <summary>Completes, never faults, when the server has stopped: after disposal, or because of a fault of its own, which is logged.</summary>
    public Task Stopped => _loop.Ended;

    /// <summary>
    /// Starts to listen on <paramref name="listen"/>: one address, or <see cref="IPAddress.Any"/>, or
    /// <see cref="IPAddress.IPv6Any"/> for both families. Port 0 takes any free one. Throws <see cref="TunnelException"/>
    /// (<see cref="TunnelFailure.Local"/>) when that is not possible.
    /// </summary>
    public static RendezvousServer Start(
        IPEndPoint listen, RendezvousServerOptions? options = null, ILogger? logger = null, TimeProvider? time = null) =>
        Start(DatagramSocket.Open(listen), options, logger, time);

    /// <summary>Stops, closes the socket and ends the thread. Peers notice by silence.</summary>
    public async ValueTask DisposeAsync()
    {
        _loop.Stop();
        await _loop.Ended.ConfigureAwait(false);
    }

    /// <summary>The same over any socket, which the server owns from then on.</summary>
    internal static RendezvousServer Start(IDatagramSocket socket, RendezvousServerOptions? options, ILogger? logger, TimeProvider? time)
    {
        logger ??= NullLogger.Instance;
        var loop = new DatagramLoop(socket, new LoopClock(time ?? TimeProvider.System));
        var core = new RendezvousServerCore(options ?? new RendezvousServerOptions(), CryptographicEntropy.Instance);
        var driver = new RendezvousServerDriver(core, error => Log.StoppedOrFailed(logger, error));
        loop.Start(driver, $"rendezvous:{socket.Local.Port}");
        Log.Listening(logger, socket.Local);
        return new RendezvousServer(loop, driver);
    }
}
