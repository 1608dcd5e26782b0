using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2PMigrate.Protocol.Tests;

/// <summary>Replayable bytes: SHA-256 over a seed and a counter.</summary>
internal sealed class SeededEntropy(int seed) : IEntropy
{
    private readonly byte[] _block = new byte[8];
    private int _counter;

    public void Fill(Span<byte> destination)
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_block, seed);
            BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(4), _counter++);
            SHA256.HashData(_block, bytes);
            int count = Math.Min(bytes.Length, destination.Length);
            bytes[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    public byte[] Take(int count)
    {
        byte[] bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }
}
