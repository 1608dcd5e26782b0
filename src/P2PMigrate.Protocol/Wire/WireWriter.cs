using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Writes our own bytes front to back into a buffer of the caller. The caller checks <see cref="Remaining"/> first;
/// writing past the end throws, because it is our fault. Fixed-size integers are little-endian.
/// </summary>
public ref struct WireWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Written { get; private set; }

    /// <summary>Bytes that still fit.</summary>
    public readonly int Remaining => _destination.Length - Written;

    /// <summary>What is not written yet; follow with <see cref="Advance"/>.</summary>
    public readonly Span<byte> Free => _destination[Written..];

    /// <summary>Writes one byte.</summary>
    public void WriteByte(byte value) => _destination[Written++] = value;

    /// <summary>Writes two bytes.</summary>
    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(Free, value);
        Written += sizeof(ushort);
    }

    /// <summary>Writes four bytes.</summary>
    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Free, value);
        Written += sizeof(uint);
    }

    /// <summary>Writes eight bytes.</summary>
    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Free, value);
        Written += sizeof(ulong);
    }

    /// <summary>Writes a <see cref="VarInt"/>.</summary>
    public void WriteVarInt(ulong value) => Written += VarInt.Write(Free, value);

    /// <summary>Writes <paramref name="bytes"/> as they are.</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        Written += bytes.Length;
    }

    /// <summary>Writes a <see cref="VarInt"/> length and the bytes.</summary>
    public void WritePrefixed(scoped ReadOnlySpan<byte> bytes)
    {
        WriteVarInt((ulong)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>Writes <paramref name="count"/> zero bytes.</summary>
    public void WriteZeros(int count)
    {
        Free[..count].Clear();
        Written += count;
    }

    /// <summary>Counts bytes that were written through <see cref="Free"/>.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Remaining);
        Written += count;
    }
}
