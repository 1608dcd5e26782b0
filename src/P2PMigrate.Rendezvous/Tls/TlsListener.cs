using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Rendezvous.Tls;

/// <summary>
/// Lets peers in by TLS: each connection becomes an address of the server's socket, so that the server itself does not see the
/// difference. Strangers cost a place for a few seconds at most.
/// </summary>
/// <remarks>spec: RLY-10, RLY-16.</remarks>
internal sealed class TlsListener : IAsyncDisposable
{
    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_refusalPause = TimeSpan.FromMinutes(1);

    private readonly Socket _listener;
    private readonly SocketWithStreams _sockets;
    private readonly RendezvousTlsOptions _options;
    private readonly ILogger _logger;
    private readonly X509Certificate2 _certificate;
    private readonly bool _isCertificateOwn;
    private readonly HostConnections _connections;
    private readonly StreamBudget _budget;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private long? _refusalTold;
    private int _refused;

    private TlsListener(Socket listener, SocketWithStreams sockets, RendezvousTlsOptions options, ILogger logger)
    {
        _listener = listener;
        _sockets = sockets;
        _options = options;
        _logger = logger;
        _isCertificateOwn = options.Certificate is null;
        _certificate = options.Certificate ?? ServerCertificate.Make(TimeProvider.System.GetUtcNow());
        _connections = new HostConnections(options.MaxConnections, options.MaxConnectionsPerHost, options.MaxConnectionsPerSite, options.MaxConnectionsPerArea);
        _budget = new StreamBudget(options.MaxWaitingBytes, DatagramStream.BlockSize);
        Local = (IPEndPoint)listener.LocalEndPoint!;
        _work = Task.WhenAll(Task.Run(AcceptAllAsync), Task.Run(SweepAsync));
    }

    /// <summary>Where it listens; the port is the real one.</summary>
    public IPEndPoint Local { get; }

    /// <summary>Connections that are there, those that have not shown what they want included.</summary>
    public int Count => _connections.Count;

    /// <summary>Takes over <paramref name="listener"/>, which listens, and lets its callers in to <paramref name="sockets"/>.</summary>
    public static TlsListener Start(Socket listener, SocketWithStreams sockets, RendezvousTlsOptions options, ILogger logger) =>
        new(listener, sockets, options, logger);

    /// <summary>A socket that listens; whoever calls waits until somebody accepts. Throws <see cref="TunnelException"/> (<see cref="TunnelFailure.Local"/>).</summary>
    public static Socket Bind(IPEndPoint listen)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (listen.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = true;
            socket.Bind(listen);
            socket.Listen();
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw new TunnelException(TunnelFailure.Local, $"Cannot listen on TCP {listen}: {error.Message}.", error);
        }
    }

    /// <summary>Accepts nobody any more. The connections that are there go with the socket that they belong to.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _work.ConfigureAwait(false);
        if (_isCertificateOwn)
            _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAllAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                Admit(socket);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The caller has gone already, or the machine has no more files: others may have better luck in a moment.
                await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void Admit(Socket socket)
    {
        NetworkAddress remote = RemoteOf(socket);
        if (!remote.IsNone && _connections.TryTake(remote, out NetworkAddress name))
        {
            _ = ServeAsync(socket, remote, name);
            return;
        }

        socket.Dispose();
        if (!remote.IsNone)
            NoteRefusal(remote);
    }

    // None when the caller has gone already.
    private static NetworkAddress RemoteOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint is IPEndPoint from ? NetworkAddress.From(from) : default;
        }
        catch (SocketException)
        {
            return default;
        }
    }

    // Whoever is refused comes again: the log gets one line in a while.
    private void NoteRefusal(NetworkAddress remote)
    {
        _refused++;
        long now = Environment.TickCount64;
        if (_refusalTold is { } told && now - told < s_refusalPause.TotalMilliseconds)
            return;
        Log.TlsFull(_logger, remote.ToNetwork(), _refused);
        (_refusalTold, _refused) = (now, 0);
    }

    private async Task ServeAsync(Socket socket, NetworkAddress remote, NetworkAddress name)
    {
        try
        {
            if (await GreetAsync(socket, name).ConfigureAwait(false) is { } stream && _sockets.TryAdd(stream))
                await stream.Ended.ConfigureAwait(false);
        }
        finally
        {
            socket.Dispose();
            _connections.Return(remote, name);
        }
    }

    private async Task<DatagramStream?> GreetAsync(Socket socket, NetworkAddress name)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_options.HandshakeTimeout);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            socket.NoDelay = true;
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, patience.Token).ConfigureAwait(false);
            return new DatagramStream(tls, socket, name, _budget);
        }
        catch (Exception error) when (error is IOException or AuthenticationException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            Log.TlsRefused(_logger, error.Message);
            return null;
        }
    }

    private async Task SweepAsync()
    {
        using var clock = new PeriodicTimer(s_sweepInterval);
        try
        {
            while (await clock.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                foreach (DatagramStream stream in _sockets.Streams)
                {
                    if (stream.Silence > (stream.HasSpoken ? _options.IdleTimeout : _options.HandshakeTimeout))
                        stream.Dispose();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
