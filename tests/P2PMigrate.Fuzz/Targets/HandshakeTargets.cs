using System.Text;
using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>What strangers send before there are keys, what is inside once there are, and what people paste.</summary>
internal static class HandshakeTargets
{
    private static readonly NetworkAddress s_source = NetworkAddress.FromBytes([192, 0, 2, 7], 4000);
    private static readonly SeededEntropy s_entropy = new(1);
    private static readonly PrivateIdentity s_identity = PrivateIdentity.Create(s_entropy);
    private static readonly Ticket s_ticket = new()
    {
        Responder = s_identity.Public,
        Rendezvous = new ServerName("meet.example", 3478),
        Hints = [s_source],
        Secret = TicketSecret.Create(s_entropy),
        ExpiresAtUnixSeconds = 1_900_000_000,
    };

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("handshake-payload", RunPayload, () => [Payload(isInit: true), Payload(isInit: false)]) { MaxLength = HandshakeHeader.PayloadSize },
        new("handshake-responder", RunResponder, () => [Message1(), [0x51, .. new byte[779]]]) { MaxLength = 1500 },
        new("handshake-initiator", RunInitiator, () => [[0x52, .. new byte[715]], [0x53, .. new byte[67]]]) { MaxLength = 1500 },
        new("ticket-text", RunTicket, () => [Encoding.UTF8.GetBytes(s_ticket.ToString()!), "p2pm1"u8.ToArray()]) { MaxLength = 600 },
        new("addresses", RunAddresses, () => [[1, 4, 10, 0, 0, 1, 5, 0], [2, 6, .. new byte[17], 9], Encoding.UTF8.GetBytes("[2001:db8::1]:443")]) { MaxLength = 400 },
    ];

    private static void RunPayload(byte[] bytes)
    {
        if (HandshakePayloadCodec.TryDecode(bytes, out HandshakePayload payload, out _) && payload.IsCompleteInit)
            HandshakePayloadCodec.Encode(payload, new byte[HandshakeHeader.PayloadSize]);
    }

    // Message 1 is sealed: after the fuzzer changed it, mac 1 is made good again, so that more than the mac is reached.
    private static void RunResponder(byte[] bytes)
    {
        using var responder = new HandshakeResponder(new HandshakeResponderOptions { Identity = s_identity, Tickets = new TicketBook() }, s_entropy);
        byte[] datagram = [.. bytes];
        if (datagram.Length == HandshakeInit.Size)
            MessageMac.Compute(MessageMac.KeyFor(s_identity.Public), datagram.AsSpan(0, HandshakeInit.Mac1Offset), datagram.AsSpan(HandshakeInit.Mac1Offset));
        responder.Handle(new Instant(1), 1_800_000_000, s_source, datagram, new byte[HandshakeResponder.MaxReplySize]).Session?.Dispose();
    }

    private static void RunInitiator(byte[] bytes)
    {
        using HandshakeInitiator initiator = Initiator();
        initiator.TryHandle(new Instant(2), bytes, out _);
        initiator.TryPollTransmit(new byte[1500], out _);
    }

    private static void RunTicket(byte[] bytes)
    {
        string text = Encoding.Latin1.GetString(bytes);
        if (Ticket.TryParse(text, out Ticket? ticket, out _) && !Ticket.TryParse(ticket.ToString(), out _, out _))
            throw new InvalidOperationException("A ticket that was read cannot be written and read again.");
        PeerId.TryParse(text, out _);
        ServerName.TryParse(text, out _);
    }

    private static void RunAddresses(byte[] bytes)
    {
        var reader = new WireReader(bytes);
        while (Candidate.TryDecode(ref reader, out _))
        {
        }

        if (NetworkAddress.TryParse(Encoding.Latin1.GetString(bytes), out NetworkAddress address)
            && (!NetworkAddress.TryParse(address.ToString(), out NetworkAddress again) || again != address))
            throw new InvalidOperationException($"{address} reads as another address than it was.");
    }

    private static HandshakeInitiator Initiator() => new(
        new Instant(1), new HandshakeInitiatorOptions { Identity = s_identity, Ticket = s_ticket, TimestampUnixNanoseconds = 5 }, new SeededEntropy(2));

    private static byte[] Message1()
    {
        using HandshakeInitiator initiator = Initiator();
        byte[] buffer = new byte[1500];
        initiator.TryPollTransmit(buffer, out int length);
        return buffer[..length];
    }

    private static byte[] Payload(bool isInit)
    {
        byte[] bytes = new byte[HandshakeHeader.PayloadSize];
        var payload = new HandshakePayload
        {
            Timestamp = isInit ? 5 : null,
            Ticket = isInit ? s_ticket.Id : null,
            Suites = isInit ? [ProtectionSuite.Aegis128L, ProtectionSuite.ChaCha20Poly1305] : [ProtectionSuite.Aes256Gcm],
            Candidates = [new Candidate(CandidateKind.Host, s_source)],
            Parameters = new TransportParameters(),
            ConnectionId = isInit ? null : new ConnectionId(7),
            Verdict = isInit ? null : TicketVerdict.Open,
        };
        HandshakePayloadCodec.Encode(payload, bytes);
        return bytes;
    }
}
