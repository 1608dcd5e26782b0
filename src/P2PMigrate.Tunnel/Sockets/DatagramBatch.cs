using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Datagrams on their way between a socket and the loop, each in a slot of one pinned array. Owned by the loop's thread;
/// made once and used for ever.
/// </summary>
internal sealed class DatagramBatch
{
    /// <summary>Datagrams in a batch: enough that the system call is a small part of the cost.</summary>
    public const int Capacity = 64;

    /// <summary>Room for one datagram. Nothing we send fills it; what does not fit is not ours and is dropped.</summary>
    public const int SlotSize = 2048;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Capacity * SlotSize, pinned: true);
    private readonly int[] _offsets = new int[Capacity];
    private readonly int[] _lengths = new int[Capacity];
    private readonly NetworkAddress[] _remotes = new NetworkAddress[Capacity];

    /// <summary>Datagrams in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Is there no slot left?</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>The slot that the next <see cref="Add"/> takes.</summary>
    public Span<byte> Free => Slot(Count);

    /// <summary>The bytes of a datagram.</summary>
    public Span<byte> this[int index] => _bytes.AsSpan(index * SlotSize + _offsets[index], _lengths[index]);

    /// <summary>Where a datagram came from or goes to.</summary>
    public NetworkAddress Remote(int index) => _remotes[index];

    /// <summary>Forgets all datagrams.</summary>
    public void Clear() => Count = 0;

    /// <summary>
    /// Takes <paramref name="length"/> bytes of <see cref="Free"/> as a datagram, after <paramref name="offset"/> bytes
    /// that a writer left for a header which turned out not to be needed.
    /// </summary>
    public void Add(int length, NetworkAddress remote, int offset = 0)
    {
        _offsets[Count] = offset;
        _lengths[Count] = length;
        _remotes[Count] = remote;
        Count++;
    }

    /// <summary>A whole slot, for a socket that writes into it before it knows the length.</summary>
    public Span<byte> Slot(int index) => _bytes.AsSpan(index * SlotSize, SlotSize);

    /// <summary>Moves what a socket wrote into slot <paramref name="index"/> to the next free slot, unless it is there, and adds it.</summary>
    public void AddFromSlot(int index, int length, NetworkAddress remote)
    {
        if (index != Count)
            Slot(index)[..length].CopyTo(Free);
        Add(length, remote);
    }

    /// <summary>The address of a slot, for a system call; the array is pinned.</summary>
    public unsafe byte* SlotPointer(int index) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, index * SlotSize);

    /// <summary>The address of a datagram.</summary>
    public unsafe byte* Pointer(int index) => SlotPointer(index) + _offsets[index];
}
