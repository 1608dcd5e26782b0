using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;
using static P2PMigrate.Tunnel.Sockets.LibC;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// The sending half of a <see cref="LinuxDatagramSocket"/>: sendmmsg with a train per message, or a datagram per message
/// once the machine has refused a train. One owner.
/// </summary>
internal sealed unsafe class LinuxSender : IDisposable
{
    private const int Capacity = 64;

    private readonly int _file;
    private readonly bool _isIPv6;
    private readonly MessageHeader* _messages = Allocate<MessageHeader>();
    private readonly IoVector* _vectors = Allocate<IoVector>();
    private readonly SocketAddress* _addresses = Allocate<SocketAddress>();
    private readonly DatagramSizeControl* _controls = Allocate<DatagramSizeControl>();
    private readonly NetworkAddress[] _remotes = new NetworkAddress[Capacity];
    private TransmitBatch? _batch;
    private int _count;
    private long _waitingSince;
    private int _isDisposed;

    /// <summary>Sends on a socket that stays the caller's.</summary>
    public LinuxSender(int file, bool isIPv6, bool sendsTrains)
    {
        _file = file;
        _isIPv6 = isIPv6;
        SendsTrains = sendsTrains;
    }

    /// <summary>Does the machine still take trains?</summary>
    public bool SendsTrains { get; private set; }

    /// <summary>See <see cref="IDatagramSocket.Send"/>.</summary>
    public int Send(TransmitBatch batch, int first = 0)
    {
        _batch = batch;
        _waitingSince = 0;
        int taken = 0;
        for (int i = first; i < batch.Count; i++)
        {
            DatagramTrain train = batch[i];
            if (batch.HopLimit(i) is not 0 and byte hops)
                taken += AddLimited(batch.Pointer(i), train.Bytes.Length, train.Remote, hops);
            else if (SendsTrains || train.Count == 1)
                taken += Add(batch.Pointer(i), train.Bytes.Length, train.DatagramSize, train.Remote);
            else
                taken += AddSingles(batch.Pointer(i), train.Bytes.Length, train.DatagramSize, train.Remote);
        }

        return taken + Flush();
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
        where T : unmanaged => (T*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(T));

    // Each returns the datagrams that were taken while room was made.
    private int AddSingles(byte* bytes, int length, int datagramSize, NetworkAddress remote)
    {
        int taken = 0;
        for (int start = 0; start < length; start += datagramSize)
        {
            int size = Math.Min(datagramSize, length - start);
            taken += Add(bytes + start, size, size, remote);
        }

        return taken;
    }

    private int Add(byte* bytes, int length, int datagramSize, NetworkAddress remote)
    {
        int taken = _count == Capacity ? Flush() : 0;
        int i = _count++;
        _remotes[i] = remote;
        _vectors[i] = new IoVector { Base = bytes, Length = (nuint)length };
        _messages[i] = new MessageHeader
        {
            Name = _addresses + i,
            NameLength = Write(remote, _addresses + i),
            Vectors = _vectors + i,
            VectorCount = 1,
        };
        if (length > datagramSize)
        {
            // The value takes two bytes, which lie first on the little-endian machines that this runs on.
            _controls[i] = new DatagramSizeControl { Length = 16 + sizeof(ushort), Level = SOL_UDP, Type = UDP_SEGMENT, Size = datagramSize };
            _messages[i].Control = _controls + i;
            _messages[i].ControlLength = (nuint)sizeof(DatagramSizeControl);
        }

        return taken;
    }

    private int AddLimited(byte* bytes, int length, NetworkAddress remote, byte hops)
    {
        int taken = Add(bytes, length, length, remote);
        int i = _count - 1;
        // A socket of IPv6 hands what is for an IPv4 address to that protocol, options and all.
        bool isIPv4 = remote.Family == IpFamily.V4;
        _controls[i] = new DatagramSizeControl
        {
            Length = 16 + sizeof(int), Level = isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, Type = isIPv4 ? IP_TTL : IPV6_HOPLIMIT, Size = hops,
        };
        _messages[i].Control = _controls + i;
        _messages[i].ControlLength = (nuint)sizeof(DatagramSizeControl);
        return taken;
    }

    private int Flush()
    {
        int taken = 0;
        int next = 0;
        while (next < _count)
        {
            int sent = SendMany(_file, _messages + next, (uint)(_count - next), MSG_DONTWAIT);
            if (sent > 0)
            {
                for (int end = next + sent; next < end; next++)
                    taken += DatagramsOf(next);
            }
            else if (Marshal.GetLastPInvokeError() is var error && error != EAGAIN)
            {
                if (error == EMSGSIZE)
                    NoteTooLong(next);
                taken += IsTrain(next) && error is EIO or EINVAL or EOPNOTSUPP ? SendApart(next) : 0;
                next++;
            }
            else if (!WaitForRoom())
            {
                break;
            }
        }

        _count = 0;
        return taken;
    }

    // A train was refused. If its datagrams pass one by one, it was for being a train, and no other one will fare better.
    // A train of datagrams that have become too long for the interface says nothing, though its shorter last one may pass.
    private int SendApart(int index)
    {
        int size = _controls[index].Size;
        int length = (int)_vectors[index].Length;
        MessageHeader message = _messages[index];
        IoVector vector = _vectors[index];
        message.Vectors = &vector;
        message.Control = null;
        message.ControlLength = 0;
        int taken = 0;
        bool isTooLong = false;
        for (int start = 0; start < length; start += size)
        {
            vector = new IoVector { Base = (byte*)_vectors[index].Base + start, Length = (nuint)Math.Min(size, length - start) };
            if (SendMany(_file, &message, 1, MSG_DONTWAIT) == 1)
                taken++;
            else if (Marshal.GetLastPInvokeError() == EMSGSIZE)
            {
                _batch!.NoteTooLong(_remotes[index], (int)vector.Length);
                isTooLong = true;
            }
        }

        SendsTrains &= taken == 0 || isTooLong;
        return taken;
    }

    private void NoteTooLong(int index) =>
        _batch!.NoteTooLong(_remotes[index], IsTrain(index) ? _controls[index].Size : (int)_vectors[index].Length);

    private bool IsTrain(int index) => _messages[index].ControlLength > 0 && _controls[index].Level == SOL_UDP;

    private int DatagramsOf(int index) => IsTrain(index) ? ((int)_vectors[index].Length + _controls[index].Size - 1) / _controls[index].Size : 1;

    // The patience is for the whole batch: the loop has other things to do than to wait once for every message.
    private bool WaitForRoom()
    {
        if (_waitingSince == 0)
            _waitingSince = Stopwatch.GetTimestamp();
        var entry = new PollEntry { File = _file, Wanted = POLLOUT };
        return PollFor(&entry, 1, DatagramSocket.SendPatience - Stopwatch.GetElapsedTime(_waitingSince)) > 0;
    }

    private uint Write(NetworkAddress address, SocketAddress* to)
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
}
