using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Reads a peer's bytes front to back. Every method returns false when too few bytes are left, and never throws.
/// Fixed-size integers are little-endian.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Has everything been read?</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Reads one byte.</summary>
    public bool TryReadByte(out byte value)
    {
        value = _rest.IsEmpty ? (byte)0 : _rest[0];
        return TrySkip(sizeof(byte));
    }

    /// <summary>Reads two bytes.</summary>
    public bool TryReadUInt16(out ushort value) =>
        BinaryPrimitives.TryReadUInt16LittleEndian(_rest, out value) && TrySkip(sizeof(ushort));

    /// <summary>Reads four bytes.</summary>
    public bool TryReadUInt32(out uint value) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(_rest, out value) && TrySkip(sizeof(uint));

    /// <summary>Reads eight bytes.</summary>
    public bool TryReadUInt64(out ulong value) =>
        BinaryPrimitives.TryReadUInt64LittleEndian(_rest, out value) && TrySkip(sizeof(ulong));

    /// <summary>Reads a <see cref="VarInt"/>.</summary>
    public bool TryReadVarInt(out ulong value) => VarInt.TryRead(_rest, out value, out int length) && TrySkip(length);

    /// <summary>Reads a <see cref="VarInt"/> length and as many bytes, at most <paramref name="maxLength"/>.</summary>
    public bool TryReadPrefixed(int maxLength, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryReadVarInt(out ulong length) && length <= (ulong)maxLength && TryReadBytes((int)length, out bytes);
    }

    /// <summary>Reads <paramref name="length"/> bytes; they stay part of the source.</summary>
    public bool TryReadBytes(int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = (uint)length <= (uint)_rest.Length ? _rest[..length] : default;
        return TrySkip(length);
    }

    /// <summary>Reads past as many bytes equal to <paramref name="value"/> as there are.</summary>
    public void SkipAll(byte value)
    {
        int end = _rest.IndexOfAnyExcept(value);
        _rest = end < 0 ? default : _rest[end..];
    }

    private bool TrySkip(int length)
    {
        if ((uint)length > (uint)_rest.Length)
            return false;
        _rest = _rest[length..];
        return true;
    }
}
