using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>Opens UDP sockets: the fast one where the kernel is Linux, the portable one elsewhere.</summary>
internal static class DatagramSocket
{
    /// <summary>Bytes that may wait for us. A short queue loses datagrams whenever the thread is not scheduled at once.</summary>
    public const int ReceiveBuffer = 16 * 1024 * 1024;

    /// <summary>Bytes that may wait for the device.</summary>
    public const int SendBuffer = 4 * 1024 * 1024;

    /// <summary>How long a send waits for room in the machine's queue before it drops the rest of the batch.</summary>
    public static readonly TimeSpan SendPatience = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Binds to <paramref name="listen"/>; port 0 takes any free one. The IPv6 wildcard also carries IPv4; on a machine
    /// without IPv6 it means the IPv4 wildcard. Throws <see cref="TunnelException"/> (<see cref="TunnelFailure.Local"/>).
    /// </summary>
    public static IDatagramSocket Open(IPEndPoint listen)
    {
        Socket socket = Bind(listen);
        return OperatingSystem.IsLinux() && Environment.Is64BitProcess ? new LinuxDatagramSocket(socket, openSibling: () => Bind(new(listen.Address, 0))) : new PortableDatagramSocket(socket);
    }

    /// <summary>A bound socket with large buffers, for either implementation.</summary>
    public static Socket Bind(IPEndPoint listen)
    {
        if (listen.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
            listen = new IPEndPoint(IPAddress.Any, listen.Port);
        Socket? socket = null;
        try
        {
            socket = new Socket(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (listen.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = true;
            ForbidPieces(socket);
            socket.ReceiveBufferSize = ReceiveBuffer;
            socket.SendBufferSize = SendBuffer;
            socket.Bind(listen);
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw new TunnelException(TunnelFailure.Local, $"Cannot listen on UDP {listen}: {error.Message}.", error);
        }
    }

    // Not in pieces, whatever routers say about the way: only the own interface limits a datagram, the rest is for probes.
    // spec: PATH-40
    private static void ForbidPieces(Socket socket)
    {
        const int LevelIPv4 = 0, MtuDiscoverIPv4 = 10, LevelIPv6 = 41, MtuDiscoverIPv6 = 23;
        if (!OperatingSystem.IsLinux())
        {
            socket.DontFragment |= socket.AddressFamily == AddressFamily.InterNetwork;
            return;
        }

        ReadOnlySpan<byte> probe = [3, 0, 0, 0]; // IP_PMTUDISC_PROBE: the don't-fragment bit without the kernel's own search.
        socket.SetRawSocketOption(LevelIPv4, MtuDiscoverIPv4, probe);
        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            socket.SetRawSocketOption(LevelIPv6, MtuDiscoverIPv6, probe);
    }

    /// <summary>The address that <paramref name="socket"/> is bound to.</summary>
    public static NetworkAddress LocalAddress(Socket socket) => NetworkAddress.From((IPEndPoint)socket.LocalEndPoint!);

    /// <summary>
    /// Can <paramref name="socket"/> send to the family of <paramref name="remote"/>? One that is bound to an address can send to
    /// that address's family only, and to both when bound to all.
    /// </summary>
    public static bool Reaches(Socket socket, NetworkAddress remote)
    {
        if (socket.AddressFamily == AddressFamily.InterNetwork)
            return remote.Family == IpFamily.V4;
        IPAddress bound = ((IPEndPoint)socket.LocalEndPoint!).Address;
        return remote.Family == IpFamily.V4
            ? socket.DualMode && (bound.IsIPv4MappedToIPv6 || bound.Equals(IPAddress.IPv6Any))
            : !bound.IsIPv4MappedToIPv6;
    }
}
