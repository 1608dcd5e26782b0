using System.Buffers;

namespace P2PMigrate.Snapshot;

/// <summary>Bytes borrowed from the shared pool until disposed. Contents are whatever the last user left.</summary>
internal readonly ref struct PooledBuffer : IDisposable
{
    private readonly byte[] _array;

    public PooledBuffer(int length)
    {
        _array = ArrayPool<byte>.Shared.Rent(length);
        Span = _array.AsSpan(0, length);
        Memory = _array.AsMemory(0, length);
    }

    public Span<byte> Span { get; }

    public Memory<byte> Memory { get; }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_array);
}
