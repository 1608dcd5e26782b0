using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Hears the ICMP messages by which machines say that nobody listens at an address to which our port has sent: so a peer whose program was killed is told from one
/// that cannot be reached for a while. Needs the right to open raw sockets; without it there is no watch, and silence is all there is.
/// </summary>
// spec: MIG-121
internal sealed class RefusalWatch : IDisposable
{
    private const int BufferSize = 2048;

    private readonly Socket?[] _sockets;
    private readonly CancellationTokenSource _stop = new();

    private RefusalWatch(Socket?[] sockets) => _sockets = sockets;

    /// <summary>Null where no raw socket is to be had.</summary>
    public static RefusalWatch? TryOpen()
    {
        Socket? v4 = TryOpen(AddressFamily.InterNetwork, ProtocolType.Icmp);
        Socket? v6 = TryOpen(AddressFamily.InterNetworkV6, ProtocolType.IcmpV6);
        return v4 is null && v6 is null ? null : new RefusalWatch([v4, v6]);
    }

    /// <summary>Begins: <paramref name="refused"/> is awaited for each address that refused what came from <paramref name="localPort"/>. Once.</summary>
    public void Start(int localPort, Func<NetworkAddress, Task> refused)
    {
        foreach (Socket? socket in _sockets)
        {
            if (socket is not null)
                _ = WatchAsync(socket, localPort, refused, _stop.Token);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        foreach (Socket? socket in _sockets)
            socket?.Dispose();
        _stop.Dispose();
    }

    private static Socket? TryOpen(AddressFamily family, ProtocolType protocol)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(family, SocketType.Raw, protocol);
            socket.Bind(new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
            return socket;
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
    }

    /// <summary>One notice after the other: while one is handled, the kernel drops what its queue does not hold.</summary>
    private static async Task WatchAsync(Socket socket, int localPort, Func<NetworkAddress, Task> refused, CancellationToken stop)
    {
        byte[] buffer = new byte[BufferSize];
        bool isV4 = socket.AddressFamily == AddressFamily.InterNetwork;
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
                ReadOnlyMemory<byte> packet = buffer.AsMemory(0, length);
                if (isV4 ? RefusalNotice.TryReadV4(packet.Span, localPort, out NetworkAddress remote) : RefusalNotice.TryReadV6(packet.Span, localPort, out remote))
                    await refused(remote).ConfigureAwait(false);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException or TunnelException)
        {
            // Disposed, or the loop has ended; or the kernel takes the socket back, and refusals are not heard any more.
        }
    }
}
