using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>The messages between a client and a rendezvous server, by their second byte.</summary>
public enum RendezvousMessageType : byte
{
    /// <summary>Client: which address do you see? The answer is a challenge.</summary>
    Hello = 1,

    /// <summary>Server: that address, a cookie for it, and a key to prove an identity against.</summary>
    Challenge = 2,

    /// <summary>Client: I am this peer, and here is the proof.</summary>
    Register = 3,

    /// <summary>Server: registered, until then.</summary>
    Registered = 4,

    /// <summary>Client: still here; or, with lifetime zero, leaving.</summary>
    Refresh = 5,

    /// <summary>Initiator: carry this message 1 to that peer.</summary>
    Offer = 6,

    /// <summary>Server: what became of an offer so far.</summary>
    Status = 7,

    /// <summary>Server to responder: somebody's message 1.</summary>
    OfferDelivery = 8,

    /// <summary>Responder: carry this reply back.</summary>
    Answer = 9,

    /// <summary>Server to initiator: the reply.</summary>
    AnswerDelivery = 10,

    /// <summary>Server: a frame of your relay leg came from here; was it you?</summary>
    LegCheck = 11,

    /// <summary>Client: yes.</summary>
    LegConfirm = 12,

    /// <summary>Client: a session of mine needs its relay channel; this is its name, and the leg that I had.</summary>
    Join = 13,

    /// <summary>Server: here is your leg.</summary>
    Joined = 14,

    /// <summary>Client: answer from that socket of yours, to me or to another address that I have proven.</summary>
    Echo = 20,

    /// <summary>Server, from any of its sockets: this datagram goes to that address.</summary>
    Echoed = 21,

    /// <summary>Client to its own outside address: does a NAT turn it round?</summary>
    Knock = 22,

    /// <summary>Server to server: are you the other end of this trunk leg? Clients do not know it.</summary>
    TrunkCheck = 24,

    /// <summary>Server to server: yes.</summary>
    TrunkConfirm = 25,
}

/// <summary>What all rendezvous messages start with: 0x60, type, two zero bytes, an eight-byte id.</summary>
/// <remarks>spec: RDV-01.</remarks>
internal static class RendezvousHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 12;

    /// <summary>
    /// What a client pads its small requests to, so that no reply is larger than the request that caused it.
    /// </summary>
    public const int RequestSize = 128; // spec: RDV-02

    /// <summary>The largest handshake datagram that is carried.</summary>
    public const int MaxCarried = 1024;

    /// <summary>Bytes that any rendezvous message fits into.</summary>
    public const int MaxSize = 1200;

    /// <summary>Starts a message: writes the header and gives a writer for what follows.</summary>
    public static WireWriter Begin(Span<byte> destination, RendezvousMessageType type, ulong id)
    {
        var writer = new WireWriter(destination);
        writer.WriteByte(FirstByte.Rendezvous);
        writer.WriteByte((byte)type);
        writer.WriteUInt16(0);
        writer.WriteUInt64(id);
        return writer;
    }

    /// <summary>Which message is it? False with a reason when it is none.</summary>
    public static bool TryReadType(ReadOnlySpan<byte> datagram, out RendezvousMessageType type, out Refusal refusal)
    {
        type = datagram.Length < Size ? 0 : (RendezvousMessageType)datagram[1];
        refusal = datagram.Length < Size ? Refusal.Truncated
            : datagram.Length > MaxSize ? Refusal.OverLimit
            : datagram[0] != FirstByte.Rendezvous || !IsKnown(type) ? Refusal.WrongType
            : datagram[2] != 0 || datagram[3] != 0 ? Refusal.ReservedNotZero
            : Refusal.None;
        return refusal == Refusal.None;
    }

    private static bool IsKnown(RendezvousMessageType type) => type
        is (>= RendezvousMessageType.Hello and <= RendezvousMessageType.Joined)
        or (>= RendezvousMessageType.Echo and <= RendezvousMessageType.Knock)
        or RendezvousMessageType.TrunkCheck or RendezvousMessageType.TrunkConfirm;

    /// <summary>Reads the header of a message of the expected type and gives a reader for what follows.</summary>
    public static bool TryBegin(ReadOnlySpan<byte> datagram, RendezvousMessageType expected, out ulong id, out WireReader body, out Refusal refusal)
    {
        body = new WireReader(datagram);
        id = 0;
        if (!TryReadType(datagram, out RendezvousMessageType type, out refusal))
        {
            return false;
        }

        refusal = type == expected ? Refusal.None : Refusal.WrongType;
        body.TryReadBytes(Size - sizeof(ulong), out _);
        body.TryReadUInt64(out id);
        return refusal == Refusal.None;
    }

    /// <summary>The end of a parser: what is left must be zeros.</summary>
    public static bool Finish(bool isWhole, ref WireReader body, out Refusal refusal)
    {
        body.SkipAll(0);
        refusal = !isWhole ? Refusal.Truncated : !body.IsAtEnd ? Refusal.ReservedNotZero : Refusal.None;
        return refusal == Refusal.None;
    }

    /// <summary>The end of a writer: zeros up to <paramref name="size"/>.</summary>
    public static int Pad(ref WireWriter writer, int size)
    {
        writer.WriteZeros(Math.Max(0, size - writer.Written));
        return writer.Written;
    }
}
