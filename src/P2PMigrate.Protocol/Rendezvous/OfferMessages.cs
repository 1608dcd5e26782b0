using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary><see cref="RendezvousMessageType.Offer"/>: cookie (16), target peer id (32), carried datagram.</summary>
internal readonly ref struct OfferMessage(TransactionId transaction, AddressCookie cookie, PeerId target, ReadOnlySpan<byte> carried)
{
    public readonly TransactionId Transaction = transaction;
    public readonly AddressCookie Cookie = cookie;
    public readonly PeerId Target = target;
    public readonly ReadOnlySpan<byte> Carried = carried;

    public static bool TryParse(ReadOnlySpan<byte> datagram, out OfferMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Offer, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(MessageMac.Size, out ReadOnlySpan<byte> cookie)
            & body.TryReadBytes(PeerId.Size, out ReadOnlySpan<byte> target)
            & body.TryReadBytes(body.Remaining, out ReadOnlySpan<byte> carried)
            & CarriedDatagram.HasFitLength(carried)
            & datagram.Length >= RendezvousHeader.RequestSize;
        refusal = !isWhole ? Refusal.Truncated
            : FirstByte.Classify(carried) != DatagramType.HandshakeInit ? Refusal.BadValue
            : Refusal.None;
        if (refusal == Refusal.None)
        {
            message = new OfferMessage(new TransactionId(id), AddressCookie.Read(cookie), PeerId.Read(target), carried);
        }

        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Offer, Transaction.Value);
        Cookie.Write(writer.Free);
        writer.Advance(MessageMac.Size);
        Target.Write(writer.Free);
        writer.Advance(PeerId.Size);
        writer.WriteBytes(Carried);
        return writer.Written;
    }
}

/// <summary>What a server says about an offer before the answer.</summary>
internal enum OfferStatus : byte
{
    /// <summary>Delivered to the responder.</summary>
    Forwarded = 1,

    /// <summary>No such peer is registered.</summary>
    PeerUnknown = 2,

    /// <summary>A limit is reached; the client tries again.</summary>
    Busy = 3,
}

/// <summary><see cref="RendezvousMessageType.Status"/>: code (1), observed address.</summary>
internal readonly record struct StatusMessage(TransactionId Transaction, OfferStatus Status, NetworkAddress Observed)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StatusMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Status, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadByte(out byte status) & NetworkAddress.TryDecode(ref body, out NetworkAddress observed);
        if (!RendezvousHeader.Finish(isWhole, ref body, out refusal))
        {
            return false;
        }

        refusal = status is >= (byte)OfferStatus.Forwarded and <= (byte)OfferStatus.Busy ? Refusal.None : Refusal.BadValue;
        message = new StatusMessage(new TransactionId(id), (OfferStatus)status, observed);
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Status, Transaction.Value);
        writer.WriteByte((byte)Status);
        Observed.Encode(ref writer);
        return writer.Written;
    }
}

/// <summary>
/// <see cref="RendezvousMessageType.OfferDelivery"/> and <see cref="RendezvousMessageType.AnswerDelivery"/>: the receiver's
/// relay leg (8), the other peer's address as the server sees it, the receiver's own, carried datagram. Behind an OfferDelivery
/// stands a code (16) of its receiver's registration key, which is not read here.
/// </summary>
internal readonly ref struct DeliveryMessage(ulong id, RelayLegId leg, NetworkAddress other, NetworkAddress observed, ReadOnlySpan<byte> carried)
{
    /// <summary>The offer's id for the responder, the transaction's for the initiator.</summary>
    public readonly ulong Id = id;
    public readonly RelayLegId Leg = leg;
    public readonly NetworkAddress Other = other;
    public readonly NetworkAddress Observed = observed;
    public readonly ReadOnlySpan<byte> Carried = carried;

    public static bool TryParse(ReadOnlySpan<byte> datagram, RendezvousMessageType type, out DeliveryMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, type, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadUInt64(out ulong leg)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress other)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress observed)
            & body.TryReadBytes(body.Remaining, out ReadOnlySpan<byte> carried)
            & CarriedDatagram.HasFitLength(carried);
        refusal = !isWhole ? Refusal.Truncated : leg > RelayLegId.Mask ? Refusal.BadValue : Refusal.None;
        message = new DeliveryMessage(id, new RelayLegId(leg), other, observed, carried);
        return refusal == Refusal.None;
    }

    /// <summary>Writes an OfferDelivery with the code of the responder's registration, by which the server vouches for it.</summary>
    // spec: PATH-79
    public int WriteOffer(Span<byte> destination, RegistrationKey key)
    {
        int length = Write(destination, RendezvousMessageType.OfferDelivery) + MessageMac.Size;
        key.Seal(destination[..length]);
        return length;
    }

    public int Write(Span<byte> destination, RendezvousMessageType type)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, type, Id);
        writer.WriteUInt64(Leg.Value);
        Vouching.Named(Other, Observed).Encode(ref writer); // spec: RDV-50
        Observed.Encode(ref writer);
        writer.WriteBytes(Carried);
        return writer.Written;
    }
}

/// <summary><see cref="RendezvousMessageType.Answer"/>: carried datagram.</summary>
internal readonly ref struct AnswerMessage(OfferId offer, ReadOnlySpan<byte> carried)
{
    public readonly OfferId Offer = offer;
    public readonly ReadOnlySpan<byte> Carried = carried;

    public static bool TryParse(ReadOnlySpan<byte> datagram, out AnswerMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Answer, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(body.Remaining, out ReadOnlySpan<byte> carried) & CarriedDatagram.HasFitLength(carried);
        refusal = !isWhole ? Refusal.Truncated
            : FirstByte.Classify(carried) is not (DatagramType.HandshakeResponse or DatagramType.CookieReply) ? Refusal.BadValue
            : Refusal.None;
        message = new AnswerMessage(new OfferId(id), carried);
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Answer, Offer.Value);
        writer.WriteBytes(Carried);
        return writer.Written;
    }
}

/// <summary>The handshake datagram at the end of a message: everything that is left, neither empty nor too long.</summary>
internal static class CarriedDatagram
{
    public static bool HasFitLength(ReadOnlySpan<byte> carried) => carried.Length is > 0 and <= RendezvousHeader.MaxCarried;
}
