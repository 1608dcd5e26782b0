using System.Buffers.Binary;
using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>The receiving half of a <see cref="LinuxDatagramSocket"/>: recvmmsg, and what the kernel says about trains. One owner.</summary>
internal sealed unsafe class LinuxReceiver : IDisposable
{
    private readonly int _file;
    private readonly MessageHeader* _messages = Allocate<MessageHeader>();
    private readonly IoVector* _vectors = Allocate<IoVector>();
    private readonly SocketAddress* _addresses = Allocate<SocketAddress>();
    private readonly DatagramSizeControl* _controls = Allocate<DatagramSizeControl>();
    private ReceiveBatch? _prepared;
    private int _isDisposed;

    /// <summary>Receives from a socket that stays the caller's.</summary>
    public LinuxReceiver(int file) => _file = file;

    /// <summary>See <see cref="IDatagramSocket.Receive"/>.</summary>
    public bool Receive(ReceiveBatch batch)
    {
        batch.Clear();
        if (_prepared != batch)
            Prepare(batch);
        int count = ReceiveMany(_file, _messages, ReceiveBatch.Capacity, MSG_DONTWAIT, null);
        // An error is either "nothing there" or an ICMP complaint about an earlier datagram: nothing to receive now.
        for (int i = 0; i < count; i++)
        {
            int length = (int)_messages[i].Transferred;
            if ((_messages[i].Flags & MSG_TRUNC) == 0)
                batch.Add(i, length, DatagramSize(i, length), Read(_addresses + i));
            Expect(i);
        }

        return count == ReceiveBatch.Capacity;
    }

    /// <summary>Once or more often.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_controls);
    }

    private static T* Allocate<T>()
        where T : unmanaged => (T*)NativeMemory.AllocZeroed(ReceiveBatch.Capacity, (nuint)sizeof(T));

    private static NetworkAddress Read(SocketAddress* from) => NetworkAddress.FromBytes(
        from->Family == AF_INET ? new ReadOnlySpan<byte>(from->IPv4, 4) : new ReadOnlySpan<byte>(from->IPv6, 16),
        BinaryPrimitives.ReverseEndianness(from->PortBigEndian));

    private void Prepare(ReceiveBatch batch)
    {
        _prepared = batch;
        for (int i = 0; i < ReceiveBatch.Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = batch.SlotPointer(i), Length = ReceiveBatch.SlotSize };
            _messages[i] = new MessageHeader { Name = _addresses + i, Vectors = _vectors + i, VectorCount = 1, Control = _controls + i };
            Expect(i);
        }
    }

    // The kernel overwrites the lengths of what it gave.
    private void Expect(int index)
    {
        _messages[index].NameLength = (uint)sizeof(SocketAddress);
        _messages[index].ControlLength = (nuint)sizeof(DatagramSizeControl);
        _controls[index] = default;
    }

    private int DatagramSize(int index, int length) =>
        _controls[index] is { Level: SOL_UDP, Type: UDP_GRO, Size: > 0 } control ? control.Size : length;
}
