using System.Buffers.Binary;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>The messages between the servers of a fleet, by their second byte.</summary>
internal enum FleetMessageKind : byte
{
    /// <summary>Deliver this message 1 to a peer of yours.</summary>
    Offer = 1,

    /// <summary>Its reply.</summary>
    Answer = 2,

    /// <summary>That peer is not here.</summary>
    Unknown = 3,

    /// <summary>A side of a channel is here.</summary>
    Side = 4,
}

/// <summary>What all messages between servers start with: 1, kind, two zero bytes, token (8), sender's id (8).</summary>
/// <remarks>spec: RDV-45.</remarks>
internal readonly record struct FleetHeader(FleetMessageKind Kind, OfferId Token, ServerId Sender)
{
    /// <summary>Bytes that any message between servers fits into.</summary>
    public const int MaxSize = 1200;

    private const byte Version = 1;

    /// <summary>Reads it and leaves <paramref name="body"/> at what follows.</summary>
    public static bool TryParse(ReadOnlySpan<byte> message, out FleetHeader header, out WireReader body, out Refusal refusal)
    {
        body = new WireReader(message);
        bool isWhole = body.TryReadByte(out byte version)
            & body.TryReadByte(out byte kind)
            & body.TryReadUInt16(out ushort reserved)
            & body.TryReadUInt64(out ulong token)
            & body.TryReadUInt64(out ulong sender);
        header = new FleetHeader((FleetMessageKind)kind, new OfferId(token), new ServerId(sender));
        refusal = !isWhole ? Refusal.Truncated
            : message.Length > MaxSize ? Refusal.OverLimit
            : version != Version ? Refusal.UnknownVersion
            : kind is 0 or > (byte)FleetMessageKind.Side ? Refusal.WrongType
            : reserved != 0 ? Refusal.ReservedNotZero
            : Refusal.None;
        return refusal == Refusal.None;
    }

    /// <summary>Starts a message and gives a writer for what follows.</summary>
    public WireWriter Begin(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.WriteByte(Version);
        writer.WriteByte((byte)Kind);
        writer.WriteUInt16(0);
        writer.WriteUInt64(Token.Value);
        writer.WriteUInt64(Sender.Value);
        return writer;
    }
}

/// <summary><see cref="FleetMessageKind.Offer"/>: sender's address, target peer id (32), initiator's address, message 1.</summary>
internal readonly ref struct FleetOffer(NetworkAddress server, PeerId target, NetworkAddress initiator, ReadOnlySpan<byte> carried)
{
    public readonly NetworkAddress Server = server;
    public readonly PeerId Target = target;
    public readonly NetworkAddress Initiator = initiator;
    public readonly ReadOnlySpan<byte> Carried = carried;

    public static bool TryParse(WireReader body, out FleetOffer offer, out Refusal refusal)
    {
        bool isWhole = NetworkAddress.TryDecode(ref body, out NetworkAddress server)
            & body.TryReadBytes(PeerId.Size, out ReadOnlySpan<byte> target)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress initiator)
            & body.TryReadBytes(body.Remaining, out ReadOnlySpan<byte> carried)
            & CarriedDatagram.HasFitLength(carried);
        refusal = !isWhole ? Refusal.Truncated
            : FirstByte.Classify(carried) != DatagramType.HandshakeInit || !server.IsUsable || !PeerAddress.IsPossible(initiator) ? Refusal.BadValue
            : Refusal.None;
        offer = refusal == Refusal.None ? new FleetOffer(server, PeerId.Read(target), initiator, carried) : default;
        return refusal == Refusal.None;
    }

    public void Write(ref WireWriter writer)
    {
        Server.Encode(ref writer);
        Target.Write(writer.Free);
        writer.Advance(PeerId.Size);
        Initiator.Encode(ref writer);
        writer.WriteBytes(Carried);
    }
}

/// <summary><see cref="FleetMessageKind.Answer"/>: trunk leg (8), sender's address, responder's address, reply.</summary>
internal readonly ref struct FleetAnswer(RelayLegId trunk, NetworkAddress server, NetworkAddress responder, ReadOnlySpan<byte> carried)
{
    public readonly RelayLegId Trunk = trunk;
    public readonly NetworkAddress Server = server;
    public readonly NetworkAddress Responder = responder;
    public readonly ReadOnlySpan<byte> Carried = carried;

    public static bool TryParse(WireReader body, out FleetAnswer answer, out Refusal refusal)
    {
        bool isWhole = body.TryReadUInt64(out ulong trunk)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress server)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress responder)
            & body.TryReadBytes(body.Remaining, out ReadOnlySpan<byte> carried)
            & CarriedDatagram.HasFitLength(carried);
        bool isReply = FirstByte.Classify(carried) is DatagramType.HandshakeResponse or DatagramType.CookieReply;
        refusal = !isWhole ? Refusal.Truncated
            : trunk > RelayLegId.Mask || !isReply || !server.IsUsable || !PeerAddress.IsPossible(responder) ? Refusal.BadValue
            : Refusal.None;
        answer = refusal == Refusal.None ? new FleetAnswer(new RelayLegId(trunk), server, responder, carried) : default;
        return refusal == Refusal.None;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt64(Trunk.Value);
        Server.Encode(ref writer);
        Responder.Encode(ref writer);
        writer.WriteBytes(Carried);
    }
}

/// <summary>
/// <see cref="FleetMessageKind.Side"/>: tag of the channel (16), side (1: initiator, 2: responder), trunk leg (8, zero from the initiator's server),
/// sender's address. The token is zero.
/// </summary>
/// <remarks>spec: RLY-32.</remarks>
internal readonly record struct FleetSide(ChannelTag Channel, bool IsInitiator, RelayLegId Trunk, NetworkAddress Server)
{
    public static bool TryParse(WireReader body, out FleetSide side, out Refusal refusal)
    {
        bool isWhole = body.TryReadBytes(ChannelTag.Size, out ReadOnlySpan<byte> tag)
            & body.TryReadByte(out byte number)
            & body.TryReadUInt64(out ulong trunk)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress server);
        refusal = !isWhole ? Refusal.Truncated
            : !body.IsAtEnd ? Refusal.TrailingBytes
            : number is not (1 or 2) || trunk > RelayLegId.Mask || trunk == 0 != (number == 1) || !server.IsUsable ? Refusal.BadValue
            : Refusal.None;
        side = refusal == Refusal.None
            ? new FleetSide(new ChannelTag(BinaryPrimitives.ReadUInt128BigEndian(tag)), number == 1, new RelayLegId(trunk), server)
            : default;
        return refusal == Refusal.None;
    }

    public void Write(ref WireWriter writer)
    {
        BinaryPrimitives.WriteUInt128BigEndian(writer.Free, Channel.Value);
        writer.Advance(ChannelTag.Size);
        writer.WriteByte((byte)(IsInitiator ? 1 : 2));
        writer.WriteUInt64(Trunk.Value);
        Server.Encode(ref writer);
    }
}

/// <summary>Where a peer of a server can be: at an address of the internet, or at the other end of a stream.</summary>
internal static class PeerAddress
{
    // spec: RDV-45, RLY-13
    public static bool IsPossible(NetworkAddress address) => address.IsUsable || (address.IsStream && address.Port != 0);
}
