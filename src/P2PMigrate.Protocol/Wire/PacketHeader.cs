using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// The 16 bytes in front of every protected packet; they travel in clear and are authenticated as the additional data
/// of the packet's AEAD.
/// </summary>
/// <param name="KeyPhase">The lowest bit of the epoch whose keys seal the packet.</param>
/// <param name="PathId">The sender's label for the (local, remote) address pair; 0 is for probes on unvalidated pairs.</param>
/// <param name="PacketNumberLow">The low 32 bits of the packet number, which counts per label, epoch after epoch.</param>
/// <param name="Destination">The receiver's name for the session.</param>
public readonly record struct PacketHeader(bool KeyPhase, byte PathId, uint PacketNumberLow, ConnectionId Destination)
{
    // 0        1        2                 4                                   8                                  16
    // +--------+--------+-----------------+-----------------------------------+----------------------------------+
    // | flags  | path   | reserved (zero) | packet number, low 32 bits        | destination connection id        |
    // +--------+--------+-----------------+-----------------------------------+----------------------------------+
    // flags: 01 version, 00 family, key phase, 000.

    /// <summary>Bytes on the wire.</summary>
    public const int Size = 16;

    /// <summary>
    /// Reads the header of <paramref name="datagram"/>. Refuses what is shorter than a header, of another version or
    /// family, or has a flag set that this version does not know. The reserved field is authenticated but not judged.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out PacketHeader header, out Refusal refusal)
    {
        header = default;
        if (datagram.Length < Size)
        {
            refusal = Refusal.Truncated;
            return false;
        }

        if (FirstByte.Classify(datagram) != DatagramType.Packet)
        {
            refusal = Refusal.WrongType;
            return false;
        }

        header = new PacketHeader(
            (datagram[0] & FirstByte.KeyPhaseBit) != 0,
            datagram[1],
            BinaryPrimitives.ReadUInt32LittleEndian(datagram[4..]),
            new ConnectionId(BinaryPrimitives.ReadUInt64LittleEndian(datagram[8..])));
        refusal = Refusal.None;
        return true;
    }

    /// <summary>Writes the header into the first <see cref="Size"/> bytes of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = KeyPhase ? (byte)(FirstByte.Packet | FirstByte.KeyPhaseBit) : FirstByte.Packet;
        destination[1] = PathId;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], PacketNumberLow);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], Destination.Value);
    }

    /// <summary>
    /// The full packet number whose low 32 bits are <paramref name="low"/> and which lies closest to the number after
    /// <paramref name="largestReceived"/> (-1 before the first packet of a label).
    /// </summary>
    public static ulong ExpandPacketNumber(uint low, long largestReceived)
    {
        const long Window = 1L << 32;
        long expected = largestReceived + 1;
        long candidate = (expected & ~(Window - 1)) | low;
        if (candidate + Window / 2 <= expected)
        {
            candidate += Window;
        }
        else if (candidate > expected + Window / 2 && candidate >= Window)
        {
            candidate -= Window;
        }

        return (ulong)candidate;
    }
}
