using System.Buffers;
using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// How datagrams follow each other on a stream to a rendezvous server: the length (2 bytes, little-endian), then the datagram.
/// </summary>
/// <remarks>spec: RLY-11.</remarks>
public static class StreamedDatagram
{
    /// <summary>Bytes in front of a datagram.</summary>
    public const int HeaderSize = sizeof(ushort);

    /// <summary>The longest datagram.</summary>
    // spec: CONST-260
    public const int MaxLength = 2048;

    /// <summary>Writes the bytes in front of a datagram of this length, which is 1 to <see cref="MaxLength"/>.</summary>
    public static void WriteHeader(Span<byte> destination, int length) => BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)length);

    /// <summary>
    /// Takes the next whole datagram off the front of <paramref name="stream"/>. False when there is none yet, or, with a
    /// <paramref name="refusal"/>, when none can come any more: the stream is worthless from here on.
    /// </summary>
    public static bool TryTake(ref ReadOnlySequence<byte> stream, out ReadOnlySequence<byte> datagram, out Refusal refusal)
    {
        datagram = default;
        refusal = Refusal.None;
        if (stream.Length < HeaderSize)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        stream.Slice(0, HeaderSize).CopyTo(header);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(header);
        refusal = length == 0 ? Refusal.BadValue : length > MaxLength ? Refusal.OverLimit : Refusal.None;
        if (refusal != Refusal.None || stream.Length < HeaderSize + length)
        {
            return false;
        }

        datagram = stream.Slice(HeaderSize, length);
        stream = stream.Slice(HeaderSize + length);
        return true;
    }
}
