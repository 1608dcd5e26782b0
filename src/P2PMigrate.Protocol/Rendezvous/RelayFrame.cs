using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The 8 bytes in front of a datagram that travels through a relay: the type and the leg it travels on. A peer writes and
/// expects the id of its own leg; the relay exchanges it for the other's in between and reads nothing behind it.
/// </summary>
/// <remarks>spec: RLY-01.</remarks>
public static class RelayFrame
{
    /// <summary>Bytes in front of the inner datagram.</summary>
    public const int HeaderSize = 8;

    /// <summary>Writes the header into the first <see cref="HeaderSize"/> bytes.</summary>
    public static void WriteHeader(Span<byte> frame, RelayLegId leg) =>
        BinaryPrimitives.WriteUInt64LittleEndian(frame, (leg.Value << 8) | FirstByte.RelayFrame);

    /// <summary>Reads the header and finds the inner datagram, which is not empty.</summary>
    public static bool TryParse(ReadOnlySpan<byte> frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out Refusal refusal)
    {
        leg = default;
        inner = default;
        refusal = frame.Length <= HeaderSize ? Refusal.Truncated
            : frame[0] != FirstByte.RelayFrame ? Refusal.WrongType
            : Refusal.None;
        if (refusal != Refusal.None)
        {
            return false;
        }

        leg = new RelayLegId(BinaryPrimitives.ReadUInt64LittleEndian(frame) >> 8);
        inner = frame[HeaderSize..];
        return true;
    }
}

/// <summary>
/// <see cref="RendezvousMessageType.LegCheck"/> and <see cref="RendezvousMessageType.LegConfirm"/>: the id is a nonce, which the
/// confirmation echoes; then the leg (8).
/// </summary>
internal readonly record struct LegMessage(ulong Nonce, RelayLegId Leg)
{
    /// <summary>Bytes of the message.</summary>
    public const int Size = RendezvousHeader.Size + sizeof(ulong);

    public static bool TryParse(ReadOnlySpan<byte> datagram, RendezvousMessageType type, out LegMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, type, out ulong nonce, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadUInt64(out ulong leg) && body.IsAtEnd;
        refusal = !isWhole ? Refusal.Truncated : leg > RelayLegId.Mask ? Refusal.BadValue : Refusal.None;
        message = new LegMessage(nonce, new RelayLegId(leg));
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination, RendezvousMessageType type)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, type, Nonce);
        writer.WriteUInt64(Leg.Value);
        return writer.Written;
    }
}
