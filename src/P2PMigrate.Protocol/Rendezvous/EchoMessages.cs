using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// <see cref="RendezvousMessageType.Echo"/>: cookie (16), socket (1), target or a zero byte, zeros to 128 bytes. The cookie is the
/// target's, or the sender's when none is named.
/// </summary>
// spec: RDV-23
internal readonly record struct EchoMessage(TransactionId Transaction, AddressCookie Cookie, ServerSocket From, NetworkAddress Target)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out EchoMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Echo, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(MessageMac.Size, out ReadOnlySpan<byte> cookie)
            & body.TryReadByte(out byte from)
            & OptionalAddress.TryDecode(ref body, out NetworkAddress target)
            & datagram.Length == RendezvousHeader.RequestSize;
        if (!RendezvousHeader.Finish(isWhole, ref body, out refusal))
        {
            return false;
        }

        refusal = from <= (byte)ServerSocket.OtherAddress ? Refusal.None : Refusal.BadValue;
        message = new EchoMessage(new TransactionId(id), AddressCookie.Read(cookie), (ServerSocket)from, target);
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Echo, Transaction.Value);
        Cookie.Write(writer.Free);
        writer.Advance(MessageMac.Size);
        writer.WriteByte((byte)From);
        OptionalAddress.Encode(ref writer, Target);
        return RendezvousHeader.Pad(ref writer, RendezvousHeader.RequestSize);
    }
}

/// <summary><see cref="RendezvousMessageType.Echoed"/>: the address to which the server sends it.</summary>
// spec: RDV-22, RDV-23
internal readonly record struct EchoedMessage(TransactionId Transaction, NetworkAddress Observed)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out EchoedMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Echoed, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = NetworkAddress.TryDecode(ref body, out NetworkAddress observed);
        message = new EchoedMessage(new TransactionId(id), observed);
        return RendezvousHeader.Finish(isWhole, ref body, out refusal);
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Echoed, Transaction.Value);
        Observed.Encode(ref writer);
        return writer.Written;
    }
}

/// <summary><see cref="RendezvousMessageType.Knock"/>: the header alone. A client sends it to its own outside address.</summary>
// spec: RDV-24
internal readonly record struct KnockMessage(TransactionId Transaction)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out KnockMessage message, out Refusal refusal)
    {
        bool isKnock = RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Knock, out ulong id, out WireReader body, out refusal);
        message = new KnockMessage(new TransactionId(id));
        return isKnock && RendezvousHeader.Finish(isWhole: true, ref body, out refusal);
    }

    public int Write(Span<byte> destination) => RendezvousHeader.Begin(destination, RendezvousMessageType.Knock, Transaction.Value).Written;
}
