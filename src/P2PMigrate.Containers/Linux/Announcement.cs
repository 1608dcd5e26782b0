using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Tells a container's neighbours where it lives now (gratuitous ARP): switches and bridges learn its port, and whoever asked for its address while
/// it was away need not wait for the second at which he would ask again. For IPv4; a network that cannot be entered is left alone.
/// </summary>
internal static class Announcement
{
    private const int NetworkNamespace = 0x40000000; // CLONE_NEWNET
    private const int PacketFamily = 17;             // AF_PACKET
    private const int RawType = 3 | 0x80000;         // SOCK_RAW | SOCK_CLOEXEC
    private const ushort ArpType = 0x0806;
    private const int FrameLength = 42;
    private const int AddressLength = 20;            // struct sockaddr_ll

    /// <summary>A link that has just come up swallows some frames: pauses before each telling.</summary>
    private static readonly int[] s_pausesMs = [0, 1, 4, 20, 100, 500];

    /// <summary>
    /// Tells it several times within a second, on a thread of its own, which ends by itself. Never throws, then or later: what cannot be told is logged,
    /// for the container runs already.
    /// </summary>
    public static void Begin(string namespacePath, ILogger logger)
    {
        try
        {
            new Thread(() => Run(namespacePath, logger)) { Name = "announcement", IsBackground = true }.Start();
        }
        catch (Exception refused) when (refused is ThreadStartException or OutOfMemoryException)
        {
            logger.NotAnnounced(namespacePath, refused.Message);
        }
    }

    /// <summary>One frame: who has <paramref name="address"/>, tell <paramref name="address"/>.</summary>
    internal static byte[] Frame(ReadOnlySpan<byte> hardware, IPAddress address)
    {
        byte[] frame = new byte[FrameLength];
        frame.AsSpan(0, 6).Fill(0xFF);
        hardware.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), ArpType);
        ReadOnlySpan<byte> ethernetAndIPv4AndRequest = [0, 1, 8, 0, 6, 4, 0, 1];
        ethernetAndIPv4AndRequest.CopyTo(frame.AsSpan(14));
        hardware.CopyTo(frame.AsSpan(22));
        address.TryWriteBytes(frame.AsSpan(28), out _);
        address.TryWriteBytes(frame.AsSpan(38), out _);
        return frame;
    }

    /// <summary>The thread enters the network for good and is never given back.</summary>
    private static void Run(string namespacePath, ILogger logger)
    {
        try
        {
            using SafeFileHandle network = File.OpenHandle(namespacePath);
            if (Native.SetNamespace((int)network.DangerousGetHandle(), NetworkNamespace) != 0) return;
            int socket = Native.OpenSocket(PacketFamily, RawType, 0);
            if (socket < 0) return;
            try
            {
                TellAll(socket);
            }
            finally
            {
                _ = Native.Close(socket);
            }
        }
#pragma warning disable CA1031 // whatever leaves a thread of its own ends the program; neighbours find out by themselves, later
        catch (Exception unreachable)
#pragma warning restore CA1031
        {
            logger.NotAnnounced(namespacePath, unreachable.Message);
        }
    }

    private static void TellAll(int socket)
    {
        (int Index, byte[] Frame)[] frames =
        [
            .. from link in NetworkInterface.GetAllNetworkInterfaces()
               let hardware = link.GetPhysicalAddress().GetAddressBytes()
               where hardware.Length == 6 && link.NetworkInterfaceType != NetworkInterfaceType.Loopback
               let properties = link.GetIPProperties()
               from address in properties.UnicastAddresses
               where address.Address.AddressFamily == AddressFamily.InterNetwork
               select (properties.GetIPv4Properties().Index, Frame(hardware, address.Address)),
        ];
        foreach (int pause in s_pausesMs)
        {
            Thread.Sleep(pause);
            foreach ((int index, byte[] frame) in frames) _ = Native.SendTo(socket, frame, frame.Length, 0, AddressOf(index), AddressLength);
        }
    }

    private static byte[] AddressOf(int index)
    {
        byte[] address = new byte[AddressLength];
        BinaryPrimitives.WriteUInt16LittleEndian(address, PacketFamily);
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), ArpType);
        BinaryPrimitives.WriteInt32LittleEndian(address.AsSpan(4), index);
        address[11] = 6;
        address.AsSpan(12, 6).Fill(0xFF);
        return address;
    }
}
