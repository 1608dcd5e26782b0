using System.Buffers.Binary;
using NSec.Cryptography;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>The name of a relay channel that two peers agree on without a word: only they can derive it from their session.</summary>
/// <remarks>spec: RLY-20.</remarks>
public readonly record struct ChannelName(UInt128 Value)
{
    /// <summary>Bytes of a name.</summary>
    public const int Size = 16;

    /// <summary>The name for the session with this handshake hash, the same on both sides.</summary>
    public static ChannelName Of(ReadOnlySpan<byte> transcript)
    {
        Span<byte> name = stackalloc byte[Size];
        KeyDerivationAlgorithm.HkdfSha256.Expand(transcript, "p2pmigrate 1 relay channel"u8, name);
        return new ChannelName(BinaryPrimitives.ReadUInt128BigEndian(name));
    }

    /// <summary>What the servers of a fleet call the channel among themselves; it does not give the name away.</summary>
    // spec: RLY-32
    public ChannelTag Tag
    {
        get
        {
            ReadOnlySpan<byte> label = "p2pmigrate 1 relay channel tag"u8;
            Span<byte> named = stackalloc byte[label.Length + Size];
            label.CopyTo(named);
            BinaryPrimitives.WriteUInt128BigEndian(named[label.Length..], Value);
            Span<byte> digest = stackalloc byte[HashAlgorithm.Sha256.HashSize];
            HashAlgorithm.Sha256.Hash(named, digest);
            return new ChannelTag(BinaryPrimitives.ReadUInt128BigEndian(digest));
        }
    }

    /// <summary>Does not show the name: whoever knows it could take a side of the channel.</summary>
    public override string ToString() => "channel";
}

/// <summary>A relay channel's name as servers and their directory may see it: nobody can take a side by it.</summary>
/// <remarks>spec: RLY-32.</remarks>
public readonly record struct ChannelTag(UInt128 Value)
{
    /// <summary>Bytes of a tag.</summary>
    public const int Size = 16;
}

/// <summary>
/// <see cref="RendezvousMessageType.Join"/>: cookie (16), the leg that the peer has so far (8, zero for none), name (16), side (1:
/// initiator, 2: responder), zeros to 128 bytes.
/// </summary>
internal readonly record struct JoinMessage(TransactionId Transaction, AddressCookie Cookie, RelayLegId Leg, ChannelName Name, bool IsInitiator)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out JoinMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Join, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(MessageMac.Size, out ReadOnlySpan<byte> cookie)
            & body.TryReadUInt64(out ulong leg)
            & body.TryReadBytes(ChannelName.Size, out ReadOnlySpan<byte> name)
            & body.TryReadByte(out byte side)
            & datagram.Length == RendezvousHeader.RequestSize;
        if (!RendezvousHeader.Finish(isWhole, ref body, out refusal))
        {
            return false;
        }

        refusal = leg > RelayLegId.Mask || side is not (1 or 2) ? Refusal.BadValue : Refusal.None;
        message = new JoinMessage(
            new TransactionId(id), AddressCookie.Read(cookie), new RelayLegId(leg), new ChannelName(BinaryPrimitives.ReadUInt128BigEndian(name)), side == 1);
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Join, Transaction.Value);
        Cookie.Write(writer.Free);
        writer.Advance(MessageMac.Size);
        writer.WriteUInt64(Leg.Value);
        BinaryPrimitives.WriteUInt128BigEndian(writer.Free, Name.Value);
        writer.Advance(ChannelName.Size);
        writer.WriteByte((byte)(IsInitiator ? 1 : 2));
        return RendezvousHeader.Pad(ref writer, RendezvousHeader.RequestSize);
    }
}

/// <summary><see cref="RendezvousMessageType.Joined"/>: the leg (8).</summary>
internal readonly record struct JoinedMessage(TransactionId Transaction, RelayLegId Leg)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out JoinedMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Joined, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadUInt64(out ulong leg) && body.IsAtEnd;
        refusal = !isWhole ? Refusal.Truncated : leg is 0 or > RelayLegId.Mask ? Refusal.BadValue : Refusal.None;
        message = new JoinedMessage(new TransactionId(id), new RelayLegId(leg));
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Joined, Transaction.Value);
        writer.WriteUInt64(Leg.Value);
        return writer.Written;
    }
}
