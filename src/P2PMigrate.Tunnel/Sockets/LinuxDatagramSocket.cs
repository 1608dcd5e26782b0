using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Protocol.Wire;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Whole batches per system call (recvmmsg, sendmmsg), and one ppoll on the socket and an eventfd. The framework has
/// neither; a call per datagram costs half of the throughput (FIELD-NOTES 12 of the design).
/// </summary>
internal sealed unsafe class LinuxDatagramSocket : IDatagramSocket
{
    private readonly Socket _socket;
    private readonly int _file;
    private readonly bool _isIPv6;
    private readonly SafeFileHandle _wake;
    private readonly MessageHeader* _messages;
    private readonly IoVector* _vectors;
    private readonly LibC.SocketAddress* _addresses;

    /// <summary>Takes over <paramref name="socket"/>, which is bound.</summary>
    public LinuxDatagramSocket(Socket socket)
    {
        _socket = socket;
        _file = (int)socket.Handle;
        _isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        Local = DatagramSocket.LocalAddress(socket);
        _wake = EventFd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        _messages = (MessageHeader*)NativeMemory.AllocZeroed(DatagramBatch.Capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(DatagramBatch.Capacity, (nuint)sizeof(IoVector));
        _addresses = (LibC.SocketAddress*)NativeMemory.AllocZeroed(DatagramBatch.Capacity, (nuint)sizeof(LibC.SocketAddress));
        // Beyond the machine's limit where we may (CAP_NET_ADMIN); otherwise what the framework could set stays.
        ForceBuffer(SO_RCVBUFFORCE, DatagramSocket.ReceiveBuffer);
        ForceBuffer(SO_SNDBUFFORCE, DatagramSocket.SendBuffer);
    }

    /// <inheritdoc/>
    public NetworkAddress Local { get; }

    /// <inheritdoc/>
    public bool Reaches(NetworkAddress remote) => DatagramSocket.Reaches(_socket, remote);

    /// <inheritdoc/>
    public int Receive(DatagramBatch batch)
    {
        batch.Clear();
        PrepareReceive(batch);
        int count = ReceiveMany(_file, _messages, DatagramBatch.Capacity, MSG_DONTWAIT, null);
        // An error is either "nothing there" or an ICMP complaint about an earlier datagram: nothing to receive now.
        for (int i = 0; i < count; i++)
        {
            if ((_messages[i].Flags & MSG_TRUNC) == 0)
                batch.AddFromSlot(i, (int)_messages[i].Transferred, Read(_addresses + i));
        }

        return batch.Count;
    }

    /// <inheritdoc/>
    public int Send(DatagramBatch batch)
    {
        PrepareSend(batch);
        int next = 0;
        int taken = 0;
        while (next < batch.Count)
        {
            int sent = SendMany(_file, _messages + next, (uint)(batch.Count - next), MSG_DONTWAIT);
            if (sent > 0)
            {
                next += sent;
                taken += sent;
            }
            else if (Marshal.GetLastPInvokeError() != EAGAIN)
            {
                next++;
            }
            else if (!WaitForRoom())
            {
                break;
            }
        }

        return taken;
    }

    /// <inheritdoc/>
    public void Wait(TimeSpan timeout)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { File = _file, Wanted = POLLIN };
        entries[1] = new PollEntry { File = (int)_wake.DangerousGetHandle(), Wanted = POLLIN };
        if (PollFor(entries, 2, timeout) > 0 && entries[1].Happened != 0)
        {
            ulong wakes;
            _ = LibC.Read(_wake, &wakes, sizeof(ulong));
        }
    }

    /// <inheritdoc/>
    public void Wake()
    {
        ulong one = 1;
        try
        {
            _ = LibC.Write(_wake, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // Somebody finished with a stream after the endpoint had gone: nobody waits any more.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _wake.Dispose();
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_addresses);
    }

    private static int PollFor(PollEntry* entries, nuint count, TimeSpan timeout)
    {
        long nanoseconds = Math.Max(0, timeout.Ticks) * TimeSpan.NanosecondsPerTick;
        var span = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        return Poll(entries, count, &span, null);
    }

    private void ForceBuffer(int option, int bytes) => _ = SetOption(_file, SOL_SOCKET, option, &bytes, sizeof(int));

    private bool WaitForRoom()
    {
        var entry = new PollEntry { File = _file, Wanted = POLLOUT };
        return PollFor(&entry, 1, DatagramSocket.SendPatience) > 0;
    }

    private void PrepareReceive(DatagramBatch batch)
    {
        for (int i = 0; i < DatagramBatch.Capacity; i++)
            Prepare(i, batch.SlotPointer(i), DatagramBatch.SlotSize, (uint)sizeof(LibC.SocketAddress));
    }

    private void PrepareSend(DatagramBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
            Prepare(i, batch.Pointer(i), batch[i].Length, Write(batch.Remote(i), _addresses + i));
    }

    private void Prepare(int index, byte* bytes, int length, uint nameLength)
    {
        _vectors[index] = new IoVector { Base = bytes, Length = (nuint)length };
        _messages[index] = new MessageHeader
        {
            Name = _addresses + index,
            NameLength = nameLength,
            Vectors = _vectors + index,
            VectorCount = 1,
        };
    }

    private uint Write(NetworkAddress address, LibC.SocketAddress* to)
    {
        *to = default;
        to->PortBigEndian = BinaryPrimitives.ReverseEndianness(address.Port);
        if (!_isIPv6)
        {
            to->Family = AF_INET;
            address.CopyAddressTo(new Span<byte>(to->IPv4, 4));
            return 16;
        }

        to->Family = AF_INET6;
        var ip = new Span<byte>(to->IPv6, 16);
        if (address.Family == IpFamily.V4)
        {
            ip[10..12].Fill(0xff);
            ip = ip[12..];
        }

        address.CopyAddressTo(ip);
        return 28;
    }

    private static NetworkAddress Read(LibC.SocketAddress* from) => NetworkAddress.FromBytes(
        from->Family == AF_INET ? new ReadOnlySpan<byte>(from->IPv4, 4) : new ReadOnlySpan<byte>(from->IPv6, 16),
        BinaryPrimitives.ReverseEndianness(from->PortBigEndian));
}
