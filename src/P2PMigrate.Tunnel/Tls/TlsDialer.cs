using System.Net;
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

    private readonly CancellationTokenSource _stop = new();
    private ushort _number;

    /// <summary>
    /// Begins to connect to <paramref name="server"/>, at its address of number <paramref name="first"/> and then at the others.
    /// <paramref name="opened"/> is called in any case, with the connection, or with none when there is no way; after a connection
    /// <paramref name="ended"/> is called when it is over. All on the loop.
    /// </summary>
    public void Begin(ServerAddresses server, int first, Action<Instant, DatagramStream?> opened, Action<Instant> ended)
    {
        NetworkAddress name = NetworkAddress.ForStream(server.All[0], ++_number == 0 ? ++_number : _number);
        IPEndPoint[] targets = [.. server.All.Skip(first).Concat(server.All.Take(first)).Select(address => address.WithPort((ushort)port).ToEndPoint())];
        _ = Task.Run(() => RunAsync(targets, server.Host, name, opened, ended), CancellationToken.None);
    }

    /// <summary>Any thread: whatever is being opened is given up. Connections that stand belong to the socket.</summary>
    public void Dispose() => _stop.Cancel();

    private async Task RunAsync(IPEndPoint[] targets, string host, NetworkAddress name, Action<Instant, DatagramStream?> opened, Action<Instant> ended)
    {
        try
        {
            DatagramStream? stream = await ConnectAsync(targets, host, name).ConfigureAwait(false);
            await loop.CallAsync(now => Tell(now, opened, stream)).ConfigureAwait(false);
            if (stream is null)
                return;
            await stream.Ended.ConfigureAwait(false);
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

    private async Task<DatagramStream?> ConnectAsync(IPEndPoint[] targets, string host, NetworkAddress name)
    {
        try
        {
            if (await TlsRace.RunAsync(targets, host, _stop.Token).ConfigureAwait(false) is not { } connection)
                return null;
            var stream = new DatagramStream(connection.Stream, connection.Socket, name);
            return sockets.TryAdd(stream) ? stream : null;
        }
#pragma warning disable CA1031 // Whatever it was, there is no connection, and who waits for one must hear it.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }
}
