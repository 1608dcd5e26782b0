using System.Runtime.InteropServices;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Trains of datagrams on their way to a socket, written one behind the other into one pinned array. Owned by the loop's
/// thread; made once and used for ever.
/// </summary>
internal sealed class TransmitBatch
{
    /// <summary>Trains in a batch.</summary>
    public const int MaxTrains = 64;

    /// <summary>Datagrams in a train: what every kernel that can send trains takes.</summary>
    // spec: CONST-62
    public const int MaxTrainDatagrams = 64;

    /// <summary>Bytes of a train: the longest payload that UDP over IPv6 has.</summary>
    public const int MaxTrainLength = ushort.MaxValue - 40 - 8;

    /// <summary>There is always room for a datagram of this size, unless the batch is full.</summary>
    public const int MaxDatagramSize = TunnelConnection.MaxDatagramSize + RelayFrame.HeaderSize;

    // Two trains: enough that a system call is a small part of the cost, and small enough to stay in the cache.
    private const int Size = 128 << 10;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
    private readonly (int Start, int Length, int DatagramSize, NetworkAddress Remote, byte HopLimit)[] _trains = new (int, int, int, NetworkAddress, byte)[MaxTrains];
    private readonly List<(NetworkAddress Remote, int Size)> _tooLong = [];
    private int _used;

    /// <summary>Trains in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Is there no room for another train?</summary>
    public bool IsFull => Count == MaxTrains || Size - _used < MaxDatagramSize;

    /// <summary>Where the next train is written; not longer than a train may be.</summary>
    public Span<byte> Free => _bytes.AsSpan(_used, Math.Min(MaxTrainLength, Size - _used));

    /// <summary>A train.</summary>
    public DatagramTrain this[int index]
    {
        get
        {
            ref readonly var train = ref _trains[index];
            return new(train.Remote, _bytes.AsSpan(train.Start, train.Length), train.DatagramSize);
        }
    }

    /// <summary>Forgets all trains.</summary>
    public void Clear()
    {
        (Count, _used) = (0, 0);
        _tooLong.Clear();
    }

    /// <summary>Sizes that the machine refused while the batch was sent, because an interface cannot carry them.</summary>
    public ReadOnlySpan<(NetworkAddress Remote, int Size)> TooLong => CollectionsMarshal.AsSpan(_tooLong);

    /// <summary>The machine refuses datagrams of this size to this remote. Said once for several in a row.</summary>
    public void NoteTooLong(NetworkAddress remote, int size)
    {
        if (_tooLong.Count == 0 || _tooLong[^1] != (remote, size))
            _tooLong.Add((remote, size));
    }

    /// <summary>Takes the first <paramref name="length"/> bytes of <see cref="Free"/> as one datagram.</summary>
    public void Add(int length, NetworkAddress remote) => Add(length, length, remote);

    /// <summary>Takes the first <paramref name="length"/> bytes of <see cref="Free"/> as a train.</summary>
    public void Add(int length, int datagramSize, NetworkAddress remote)
    {
        _trains[Count++] = (_used, length, datagramSize, remote, HopLimit: 0);
        _used += length;
    }

    /// <summary>The last datagram, which is alone in its train, passes so many routers only; a machine that cannot do that lets it go all the way.</summary>
    public void LimitLast(byte hops) => _trains[Count - 1].HopLimit = hops;

    /// <summary>Routers that a train may pass; 0 is as many as usual.</summary>
    public byte HopLimit(int index) => _trains[index].HopLimit;

    /// <summary>Takes the last train out again.</summary>
    public void RemoveLast() => _used = _trains[--Count].Start;

    /// <summary>As <see cref="Add(int, NetworkAddress)"/>, behind the last train if the datagram can be part of it.</summary>
    public void Join(int length, NetworkAddress remote)
    {
        if (Count > 0 && CanJoin(_trains[Count - 1], length, remote))
        {
            _trains[Count - 1].Length += length;
            _used += length;
        }
        else
        {
            Add(length, remote);
        }
    }

    /// <summary>Leaves out what goes to the remotes that <paramref name="which"/> names. The room that it took is free after <see cref="Clear"/> only.</summary>
    public void Remove(Func<NetworkAddress, bool> which)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (!which(_trains[i].Remote))
                _trains[kept++] = _trains[i];
        }

        Count = kept;
    }

    /// <summary>The address of a train, for a system call; the array is pinned.</summary>
    public unsafe byte* Pointer(int index) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, _trains[index].Start);

    private static bool CanJoin(in (int Start, int Length, int DatagramSize, NetworkAddress Remote, byte HopLimit) train, int length, NetworkAddress remote) =>
        train.Remote == remote && train.HopLimit == 0 && length <= train.DatagramSize
        && train.Length % train.DatagramSize == 0 && train.Length / train.DatagramSize < MaxTrainDatagrams
        && train.Length + length <= MaxTrainLength;
}
