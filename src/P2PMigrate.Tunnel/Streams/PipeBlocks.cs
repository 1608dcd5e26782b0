using System.Buffers;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// The memory of all pipes: blocks that go from hand to hand, the one given back last first, because it is still in the
/// cache. The framework's pool drops arrays that one thread rents and another gives back, which is what pipes do. Any thread.
/// </summary>
internal sealed class PipeBlocks : MemoryPool<byte>
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64 << 10;

    /// <summary>Blocks that are kept for later.</summary>
    // spec: CONST-66
    private const int MaxKept = 64;

    /// <summary>The one for everybody.</summary>
    public static readonly PipeBlocks Instance = new();

    private readonly Lock _lock = new();
    private readonly Stack<Block> _kept = new(MaxKept); // Guarded by the lock.

    private PipeBlocks()
    {
    }

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockSize;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        lock (_lock)
            return _kept.TryPop(out Block? block) ? block : new Block(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Everybody's, for as long as the program runs.
    }

    private void Return(Block block)
    {
        lock (_lock)
        {
            if (_kept.Count < MaxKept)
                _kept.Push(block);
        }
    }

    /// <summary>A block; whoever rented it disposes it once and forgets it.</summary>
    private sealed class Block(PipeBlocks owner) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize);

        public Memory<byte> Memory => _bytes;

        public void Dispose() => owner.Return(this);
    }
}
