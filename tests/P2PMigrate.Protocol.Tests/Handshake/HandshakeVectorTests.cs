using System.Text.Json;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

/// <summary>Byte for byte against protocol-spec/vectors/handshake.json, which a second implementation wrote.</summary>
[Trait("Spec", "HS-11")]
public sealed class HandshakeVectorTests : IDisposable
{
    private const long Now = 1_800_000_000;

    private static readonly JsonElement s_vector = JsonDocument.Parse(File.ReadAllText(SpecFile.Vectors("handshake.json"))).RootElement;

    private readonly PrivateIdentity _initiator = PrivateIdentity.Import(Hex("initiatorPrivate"));
    private readonly PrivateIdentity _responder = PrivateIdentity.Import(Hex("responderPrivate"));

    public void Dispose()
    {
        _initiator.Dispose();
        _responder.Dispose();
    }

    [Fact]
    [Trait("Spec", "ID-02")]
    public void Keys_and_peer_ids() => Assert.Equal(
        (Text("initiatorPublic"), Text("responderPublic"), PeerId.Read(Hex("responderPeerId"))),
        (Convert.ToHexStringLower(_initiator.Public.Bytes), Convert.ToHexStringLower(_responder.Public.Bytes), _responder.PeerId));

    [Fact]
    [Trait("Spec", "ID-10")]
    [Trait("Spec", "ID-12")]
    [Trait("Spec", "ID-13")]
    public void The_ticket_and_what_is_derived_from_its_secret()
    {
        Ticket ticket = ReadTicket();

        Assert.Equal(Text("ticket"), ticket.Format());
        Assert.Equal(_responder.PeerId, ticket.Responder.PeerId);
        Assert.Equal(("rendezvous.example", 3478), (ticket.Rendezvous!.Value.Host, (int)ticket.Rendezvous.Value.Port));
        Assert.Equal(["192.0.2.1:4000"], ticket.Hints.Select(hint => hint.ToString()));
        Assert.Equal(s_vector.GetProperty("expiry").GetInt64(), ticket.ExpiresAtUnixSeconds);
        Assert.Equal(TicketId.Read(Hex("ticketId")), ticket.Id);
        byte[] psk = new byte[TicketSecret.PreSharedKeySize];
        ticket.Secret.DerivePreSharedKey(psk);
        Assert.Equal(Hex("psk"), psk);
    }

    [Fact]
    [Trait("Spec", "HS-13")]
    [Trait("Spec", "HS-20")]
    [Trait("Spec", "HS-30")]
    public void Both_messages_and_the_session()
    {
        using HandshakeInitiator initiator = Initiate();
        byte[] init = HandshakePair.Poll(initiator);
        Assert.Equal(Text("init"), Convert.ToHexStringLower(init));

        using HandshakeResponder responder = Respond();
        byte[] reply = new byte[HandshakeResponder.MaxReplySize];
        HandshakeAnswer answer = responder.Handle(new Instant(1), Now, HandshakePair.Address("192.0.2.7:4000"), init, reply);
        Assert.Equal(Text("response"), Convert.ToHexStringLower(reply.AsSpan(0, answer.ReplyLength)));

        Assert.True(initiator.TryHandle(new Instant(1), reply.AsSpan(0, answer.ReplyLength), out _));
        using EstablishedSession session = initiator.TakeSession();
        Assert.Equal(Text("transcript"), Convert.ToHexStringLower(session.Transcript.Span));
        Assert.Equal(Hex("transcript"), answer.Session!.Transcript.ToArray());
        Assert.Equal(ProtectionSuite.Aes256Gcm, session.Suite);
    }

    [Fact]
    [Trait("Spec", "HS-14")]
    public void Mac_2_under_a_cookie()
    {
        byte[] init = Hex("init");

        MessageMac.Compute(Hex("cookie"), init.AsSpan(0, HandshakeInit.Mac2Offset), init.AsSpan(HandshakeInit.Mac2Offset));

        Assert.Equal(Hex("initWithCookie"), init);
    }

    [Fact]
    [Trait("Spec", "HS-31")]
    [Trait("Spec", "HS-32")]
    public void Packets_of_two_epochs_and_two_suites()
    {
        foreach (IGrouping<int, JsonElement> suite in s_vector.GetProperty("packets").EnumerateArray().GroupBy(packet => packet.GetProperty("suite").GetInt32()))
        {
            using var keys = new KeySchedule((ProtectionSuite)suite.Key, Hex("initiatorSecret"), Hex("responderSecret"));
            foreach (JsonElement packet in suite)
            {
                using PacketKeys epoch = keys.Next();
                byte[] plaintext = Hex(packet, "plaintext"), ciphertext = new byte[plaintext.Length + epoch.Sealer.TagLength];
                epoch.Sealer.Seal((byte)packet.GetProperty("path").GetInt32(), packet.GetProperty("number").GetUInt64(), Hex(packet, "header"), plaintext, ciphertext);
                Assert.Equal(Hex(packet, "ciphertext"), ciphertext);
            }
        }
    }

    [Fact]
    [Trait("Spec", "RDV-05")]
    public void The_proof_of_a_registration()
    {
        using var challenge = PrivateIdentity.Import(Hex("challengePrivate"));
        byte[] message = new byte[RendezvousHeader.RequestSize];
        new RegisterMessage(new TransactionId(BitConverter.ToUInt64(Hex("transaction"))), AddressCookie.Read(Hex("cookie")), challenge.Public, _responder.Public).Write(message);

        Assert.True(RegistrationKey.TryDerive(_responder, challenge.Public, _responder.Public, challenge.Public, out RegistrationKey key));
        key.Seal(message);

        Assert.Equal(Text("register"), Convert.ToHexStringLower(message));
        Assert.True(RegistrationKey.TryDerive(challenge, _responder.Public, _responder.Public, challenge.Public, out RegistrationKey atServer));
        Assert.True(atServer.Verify(message));
    }

    private HandshakeInitiator Initiate() => new(
        new Instant(0),
        new HandshakeInitiatorOptions
        {
            Identity = _initiator,
            Ticket = ReadTicket(),
            TimestampUnixNanoseconds = s_vector.GetProperty("timestamp").GetInt64(),
            Candidates = [new Candidate(CandidateKind.Host, HandshakePair.Address("10.0.0.1:1000"))],
            Parameters = Parameters(),
            Suites = [ProtectionSuite.Aes256Gcm, ProtectionSuite.ChaCha20Poly1305],
        },
        new ScriptedEntropy(Hex("initiatorConnectionId"), Hex("initiatorEphemeral")));

    private HandshakeResponder Respond()
    {
        var book = new TicketBook();
        book.Add(ReadTicket(), Now);
        return new HandshakeResponder(
            new HandshakeResponderOptions { Identity = _responder, Tickets = book, Parameters = Parameters(), Suites = [ProtectionSuite.Aes256Gcm] },
            new ScriptedEntropy(new byte[32], new byte[32], Hex("responderEphemeral"), Hex("responderConnectionId")))
        {
            Candidates = [new Candidate(CandidateKind.Reflexive, HandshakePair.Address("10.0.0.2:2000"))],
        };
    }

    private static Ticket ReadTicket() => Ticket.TryParse(Text("ticket"), out Ticket? ticket, out TicketError error) ? ticket : throw new InvalidOperationException(error.ToSentence());

    private static TransportParameters Parameters() =>
        TransportParameters.TryDecode(Hex("parameters"), out TransportParameters parameters) ? parameters : throw new InvalidOperationException();

    private static string Text(string name) => s_vector.GetProperty(name).GetString()!;

    private static byte[] Hex(string name) => Hex(s_vector, name);

    private static byte[] Hex(JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);
}
