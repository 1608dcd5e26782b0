using System.Runtime.InteropServices;

namespace P2PMigrate.Lab.Links;

/// <summary>Memory for the packets under way in one direction: slots of one size, taken and given back, never allocated anew. One thread.</summary>
internal sealed unsafe class PacketStore : IDisposable
{
    /// <summary>No device here has a larger MTU.</summary>
    public const int SlotSize = 2048;

    private readonly byte* _memory;
    private readonly int[] _free;
    private int _freeCount;

    public PacketStore(int slots)
    {
        _memory = (byte*)NativeMemory.Alloc((nuint)slots, SlotSize);
        _free = [.. Enumerable.Range(0, slots)];
        _freeCount = slots;
    }

    public bool IsExhausted => _freeCount == 0;

    /// <summary>A free slot; the caller has seen that there is one.</summary>
    public int Take() => _free[--_freeCount];

    public void Return(int slot) => _free[_freeCount++] = slot;

    public byte* At(int slot) => _memory + (long)slot * SlotSize;

    public void Dispose() => NativeMemory.Free(_memory);
}
