using System.Net.Sockets;
using System.Runtime.InteropServices;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// The kernel's notices (rtnetlink) about links, addresses and routes of the network namespace in which it was opened. No
/// thread of its own: the framework's poller waits.
/// </summary>
internal sealed class NetlinkWatch : INetworkWatch
{
    // struct sockaddr_nl: family, padding, port 0 for the kernel to choose, groups.
    private const int AddressLength = 12, GroupsOffset = 8;
    private const int BufferSize = 16 * 1024;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();

    private NetlinkWatch(Socket socket) => _socket = socket;

    /// <summary>Null where the kernel or its keeper gives no netlink socket.</summary>
    public static unsafe NetlinkWatch? TryOpen()
    {
        int file = OpenSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (file < 0)
            return null;
        var handle = new SafeSocketHandle(file, ownsHandle: true);
        Span<byte> address = stackalloc byte[AddressLength];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)AF_NETLINK);
        MemoryMarshal.Write(address[GroupsOffset..], NetlinkNotices.Groups);
        fixed (byte* name = address)
        {
            if (BindSocket(file, name, AddressLength) == 0)
                return new NetlinkWatch(new Socket(handle));
        }

        handle.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Start(Action changed) => _ = WatchAsync(changed);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task WatchAsync(Action changed)
    {
        byte[] buffer = new byte[BufferSize];
        var known = new KnownAddresses();
        CancellationToken stop = _stop.Token;
        try
        {
            while (true)
            {
                int? length = await ReceiveAsync(buffer, stop).ConfigureAwait(false);
                if (length is null)
                    known.Forget();
                if (length is null || NetlinkNotices.TellOfChange(buffer.AsSpan(0, length.Value), known))
                    changed();
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Disposed; or the kernel takes the socket back, and the network is not watched any more.
        }
    }

    /// <summary>The length of what came; null when notices were lost because too many came at once.</summary>
    private async ValueTask<int?> ReceiveAsync(byte[] buffer, CancellationToken stop)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            return null;
        }
    }
}
