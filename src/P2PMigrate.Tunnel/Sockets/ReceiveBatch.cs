using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Trains of datagrams that a socket has received, each in a slot of one pinned array; slots that were never needed cost
/// address space only. Owned by the loop's thread; made once and used for ever.
/// </summary>
internal sealed class ReceiveBatch
{
    /// <summary>Trains in a batch.</summary>
    public const int Capacity = 32;

    /// <summary>Room for one train: UDP has no longer payload.</summary>
    public const int SlotSize = 64 << 10;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Capacity * SlotSize, pinned: true);
    private readonly (int Slot, int Length, int DatagramSize, NetworkAddress Remote)[] _trains = new (int, int, int, NetworkAddress)[Capacity];

    /// <summary>Trains in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>A train.</summary>
    public DatagramTrain this[int index]
    {
        get
        {
            ref readonly var train = ref _trains[index];
            return new(train.Remote, _bytes.AsSpan(train.Slot * SlotSize, train.Length), train.DatagramSize);
        }
    }

    /// <summary>Forgets all trains.</summary>
    public void Clear() => Count = 0;

    /// <summary>Takes what a socket wrote into a slot, at most one train for each; empty datagrams are nobody's.</summary>
    public void Add(int slot, int length, int datagramSize, NetworkAddress remote)
    {
        if (length > 0)
            _trains[Count++] = (slot, length, datagramSize, remote);
    }

    /// <summary>Forgets what came from the remotes that <paramref name="which"/> names.</summary>
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

    /// <summary>Room for a socket to write a train into before it knows the length.</summary>
    public Span<byte> Slot(int index) => _bytes.AsSpan(index * SlotSize, SlotSize);

    /// <summary>The address of a slot, for a system call; the array is pinned.</summary>
    public unsafe byte* SlotPointer(int index) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, index * SlotSize);
}
