using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tls;

/// <summary>Opens TLS connections to rendezvous servers, and tells the loop when one is there and when it has ended.</summary>
internal sealed class TlsDialer(SocketWithStreams sockets, DatagramLoop loop, int port) : IDisposable
{
    /// <summary>The port that servers listen on unless somebody says otherwise: the one that leads out of most networks.</summary>
    public const int DefaultPort = 443;

    /// <summary>How long one address of a server may take until the connection stands.</summary>
    // spec: CONST-262
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _stop = new();
    private ushort _number;

    /// <summary>
    /// Begins to connect to <paramref name="server"/>. <paramref name="opened"/> gets the connection's address, or none when
    /// there is no way; after an address <paramref name="ended"/> is called when it is over. All on the loop.
    /// </summary>
    public void Begin(ServerAddresses server, Action<Instant, DatagramStream?> opened, Action<Instant> ended)
    {
        NetworkAddress name = NetworkAddress.ForStream(server.All[0], ++_number == 0 ? ++_number : _number);
        _ = Task.Run(() => RunAsync(server, name, opened, ended), CancellationToken.None);
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Cancel();

    private async Task RunAsync(ServerAddresses server, NetworkAddress name, Action<Instant, DatagramStream?> opened, Action<Instant> ended)
    {
        try
        {
            DatagramStream? stream = await ConnectAsync(server, name).ConfigureAwait(false);
            bool isThere = stream is not null && sockets.TryAdd(stream);
            await loop.CallAsync(now => Tell(now, opened, isThere ? stream : null)).ConfigureAwait(false);
            if (!isThere)
                return;
            await stream!.Ended.ConfigureAwait(false);
            await loop.CallAsync(now =>
            {
                ended(now);
                return true;
            }).ConfigureAwait(false);
        }
        catch (TunnelException)
        {
            // The loop has ended, and with it everybody who wanted to know.
        }
    }

    private static bool Tell(Instant now, Action<Instant, DatagramStream?> opened, DatagramStream? stream)
    {
        opened(now, stream);
        return true;
    }

    private async Task<DatagramStream?> ConnectAsync(ServerAddresses server, NetworkAddress name)
    {
        foreach (NetworkAddress address in server.All)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            patience.CancelAfter(s_patience);
            if (await TryConnectAsync(address, server.Host, name, patience.Token).ConfigureAwait(false) is { } stream)
                return stream;
        }

        return null;
    }

    private async Task<DatagramStream?> TryConnectAsync(NetworkAddress address, string host, NetworkAddress name, CancellationToken cancellationToken)
    {
        System.Net.IPEndPoint target = address.WithPort((ushort)port).ToEndPoint();
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(Options(host), cancellationToken).ConfigureAwait(false);
            return new DatagramStream(tls, socket, name);
        }
        catch (Exception error) when (error is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            if (tls is not null)
                await tls.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            return null;
        }
    }

    // Any certificate will do. TLS is here to get through the network, not to be believed: what travels inside protects itself,
    // and whoever pretends to be the server can do what a server can, which is to drop and to delay. spec: RLY-10
    private static SslClientAuthenticationOptions Options(string host) => new()
    {
        TargetHost = host,
#pragma warning disable CA5359 // See above.
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
