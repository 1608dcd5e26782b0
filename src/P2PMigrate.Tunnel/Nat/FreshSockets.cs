using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Nat;

/// <summary>
/// A few UDP sockets that have never sent anything, for one survey: a NAT gives each of them a new mapping. The loop sends and
/// disposes; what comes is handed over one datagram at a time for each socket.
/// </summary>
internal sealed class FreshSockets : IDisposable
{
    private readonly Socket[] _sockets;

    private FreshSockets(Socket[] sockets) => _sockets = sockets;

    /// <summary>Their ports, in order.</summary>
    public IReadOnlyList<ushort> Ports => [.. _sockets.Select(socket => DatagramSocket.LocalAddress(socket).Port)];

    /// <summary>
    /// As many as the system gives, bound where the main socket is bound (<paramref name="main"/>), of the internet protocol of <paramref name="server"/>.
    /// <paramref name="bind"/> makes one, for a network that is not this process's own.
    /// </summary>
    public static FreshSockets Open(NetworkAddress main, NetworkAddress server, int count, Func<IPEndPoint, Socket>? bind = null)
    {
        bind ??= Bind;
        bool isV4 = server.Family == IpFamily.V4;
        IPAddress any = isV4 ? IPAddress.Any : IPAddress.IPv6Any;
        var local = new IPEndPoint(main.Family == server.Family ? main.ToIPAddress() : any, 0);
        var sockets = new List<Socket>(count);
        for (int i = 0; i < count; i++)
        {
            try
            {
                sockets.Add(bind(local));
            }
            catch (SocketException)
            {
                break; // The survey learns less.
            }
        }

        return new FreshSockets([.. sockets]);
    }

    /// <summary>Begins to receive: each datagram is given to <paramref name="arrived"/> with its socket's index, and the next one of that socket when that has completed.</summary>
    public void Start(Func<int, NetworkAddress, byte[], Task> arrived)
    {
        for (int i = 0; i < _sockets.Length; i++)
            _ = ReceiveAsync(_sockets[i], i, arrived);
    }

    /// <summary>Sends; what the system refuses is lost.</summary>
    public void Send(int index, NetworkAddress destination, ReadOnlySpan<byte> datagram)
    {
        try
        {
            _sockets[index].SendTo(datagram, SocketFlags.None, destination.ToEndPoint());
        }
        catch (SocketException)
        {
            // No route, or the queue is full: as if the network had dropped it.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Socket socket in _sockets)
            socket.Dispose();
    }

    private static Socket Bind(IPEndPoint local)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Bind(local);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task ReceiveAsync(Socket socket, int index, Func<int, NetworkAddress, byte[], Task> arrived)
    {
        byte[] buffer = new byte[2048];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            while (true)
            {
                SocketReceiveFromResult result;
                try
                {
                    result = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any).ConfigureAwait(false);
                }
                catch (SocketException error) when (error.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
                {
                    continue; // A router's report about an earlier datagram.
                }

                await arrived(index, NetworkAddress.From((IPEndPoint)result.RemoteEndPoint), buffer[..result.ReceivedBytes]).ConfigureAwait(false);
            }
        }
        catch (Exception end) when (end is ObjectDisposedException or SocketException or TunnelException)
        {
            // The survey is over, or the endpoint.
        }
    }
}
