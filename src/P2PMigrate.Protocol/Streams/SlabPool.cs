using System.Diagnostics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Memory of one size for the buffers of all streams of a session. Grows as it is used; what nobody needed for a while is
/// given back by <see cref="Trim"/>, so that a session that was busy once costs nothing for ever. One owner.
/// </summary>
internal sealed class SlabPool
{
    /// <summary>Bytes of a slab.</summary>
    // spec: CONST-33
    public const int SlabSize = 32 << 10;

    private static readonly TimeSpan s_trimInterval = TimeSpan.FromSeconds(1);

    private readonly Stack<byte[]> _free = new();
    private int _idle;
    private Instant _trimmedAt;

    /// <summary>Slabs that buffers hold.</summary>
    public int InUse { get; private set; }

    /// <summary>Slabs that wait for the next use.</summary>
    public int Free => _free.Count;

    /// <summary>Takes a slab with whatever it holds.</summary>
    public byte[] Rent()
    {
        InUse++;
        if (!_free.TryPop(out byte[]? slab))
            return GC.AllocateUninitializedArray<byte>(SlabSize);
        _idle = Math.Min(_idle, _free.Count);
        return slab;
    }

    /// <summary>Gives a slab back.</summary>
    public void Return(byte[] slab)
    {
        Debug.Assert(slab.Length == SlabSize && InUse > 0);
        InUse--;
        _free.Push(slab);
    }

    /// <summary>Drops the slabs that were free all the time since the last call that counted; call it now and then.</summary>
    public void Trim(Instant now)
    {
        if (now - _trimmedAt < s_trimInterval)
            return;
        for (; _idle > 0; _idle--)
            _free.Pop();
        _idle = _free.Count;
        _trimmedAt = now;
        if (_idle == 0)
            _free.TrimExcess();
    }
}
