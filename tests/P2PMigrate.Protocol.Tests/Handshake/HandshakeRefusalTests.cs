using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

/// <summary>Who gets silence, and who gets an authenticated "no".</summary>
public sealed class HandshakeRefusalTests : IDisposable
{
    private readonly HandshakePair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Fact]
    [Trait("Spec", "HS-26")]
    public void A_ticket_that_was_never_issued_gets_silence()
    {
        Ticket forged = _pair.Issue(_pair.ResponderIdentity.Public);

        HandshakeAnswer answer = _pair.Answer(HandshakePair.Poll(_pair.Initiate(options => options with { Ticket = forged })), out _);

        Assert.Equal(new HandshakeAnswer(0, null, Refusal.UnknownTicket), answer);
    }

    [Fact]
    [Trait("Spec", "HS-13")]
    public void A_message_for_another_peer_gets_silence()
    {
        using var other = PrivateIdentity.Create(_pair.Entropy);
        Ticket elsewhere = _pair.Ticket with { Responder = other.Public };

        HandshakeAnswer answer = _pair.Answer(HandshakePair.Poll(_pair.Initiate(options => options with { Ticket = elsewhere })), out _);

        Assert.Equal(new HandshakeAnswer(0, null, Refusal.BadMac), answer);
    }

    [Fact]
    [Trait("Spec", "HS-28")]
    public void A_spent_ticket_is_refused_with_an_authenticated_answer()
    {
        Assert.True(_pair.Book.TrySpend(_pair.Ticket.Id, _pair.UnixSeconds));
        Assert.False(_pair.Book.TrySpend(_pair.Ticket.Id, _pair.UnixSeconds));

        Assert.True(_pair.TryConnect(_pair.Initiate(), out EstablishedSession? left, out EstablishedSession? right));

        Assert.Equal((TicketVerdict.Spent, TicketVerdict.Spent), (left.Verdict, right.Verdict));
    }

    [Fact]
    [Trait("Spec", "HS-28")]
    public void An_expired_ticket_is_refused_with_an_authenticated_answer_for_a_day_and_with_silence_later()
    {
        _pair.UnixSeconds = _pair.Ticket.ExpiresAtUnixSeconds;
        Assert.True(_pair.TryConnect(_pair.Initiate(), out EstablishedSession? session, out _));
        Assert.Equal(TicketVerdict.Expired, session.Verdict);

        _pair.UnixSeconds += (long)TicketBook.Grace.TotalSeconds;

        Assert.Equal(Refusal.UnknownTicket, _pair.Answer(HandshakePair.Poll(_pair.Initiate()), out _).Refusal);
    }

    [Fact]
    [Trait("Spec", "HS-27")]
    public void A_responder_without_the_secret_cannot_answer()
    {
        // The thief of a responder's key knows the ticket's id but not its secret.
        Ticket ticket = _pair.Ticket;
        byte[] init = HandshakePair.Poll(_pair.Initiate());
        using var noise = NoiseHandshake.Respond(_pair.ResponderIdentity, PrivateIdentity.Create(_pair.Entropy), HandshakeInit.Prologue(init));
        byte[] payload = new byte[HandshakeHeader.PayloadSize];
        Assert.True(noise.TryReadMessage1(HandshakeInit.Noise(init.AsSpan()), payload));
        byte[] reply = new byte[HandshakeResponse.Size];
        HandshakeInitiator initiator = _pair.Initiate(options => options with { Ticket = ticket });
        HandshakeHeader.Write(reply, FirstByte.HandshakeResponse, initiator.LocalId);
        noise.TryWriteMessage2(new byte[32], payload, HandshakeResponse.Noise(reply.AsSpan()));
        MessageMac.Compute(MessageMac.KeyFor(_pair.InitiatorIdentity.Public), reply.AsSpan(0, HandshakeResponse.Mac1Offset), reply.AsSpan(HandshakeResponse.Mac1Offset));

        Assert.False(initiator.TryHandle(_pair.Now, reply, out Refusal refusal));

        Assert.Equal(Refusal.NotAuthentic, refusal);
        Assert.Equal(HandshakeState.Waiting, initiator.State);
    }

    [Fact]
    public void A_changed_bit_anywhere_in_message_1_gets_silence()
    {
        byte[] init = HandshakePair.Poll(_pair.Initiate());
        for (int at = 0; at < HandshakeInit.Mac2Offset; at++)
        {
            byte[] forged = [.. init];
            forged[at] ^= 1;
            HandshakeAnswer answer = _pair.Answer(forged, out _);
            Assert.Equal((0, null), (answer.ReplyLength, answer.Session));
            Assert.NotEqual(Refusal.None, answer.Refusal);
        }
    }

    [Fact]
    public void A_changed_bit_behind_a_mended_mac_1_gets_silence_too()
    {
        byte[] init = HandshakePair.Poll(_pair.Initiate());
        using var pair = new HandshakePair(1, options => options with { FreeHandshakesPerSecond = 10_000 });
        for (int at = 1; at < HandshakeInit.Mac1Offset; at++)
        {
            byte[] forged = [.. init];
            forged[at] ^= 1;
            MessageMac.Compute(MessageMac.KeyFor(_pair.ResponderIdentity.Public), forged.AsSpan(0, HandshakeInit.Mac1Offset), forged.AsSpan(HandshakeInit.Mac1Offset));
            HandshakeAnswer answer = pair.Answer(forged, out _);
            Assert.Equal((0, null), (answer.ReplyLength, answer.Session));
            Assert.NotEqual(Refusal.None, answer.Refusal);
        }
    }

    [Fact]
    public void A_changed_bit_anywhere_in_message_2_changes_nothing()
    {
        HandshakeInitiator initiator = _pair.Initiate();
        _pair.Answer(HandshakePair.Poll(initiator), out byte[] reply);
        for (int at = 0; at < reply.Length; at++)
        {
            byte[] forged = [.. reply];
            forged[at] ^= 0x80;
            Assert.False(initiator.TryHandle(_pair.Now, forged, out _));
        }

        Assert.True(initiator.TryHandle(_pair.Now, reply, out _));
    }

    [Fact]
    public void Every_datagram_cut_at_any_length_is_refused()
    {
        HandshakeInitiator initiator = _pair.Initiate();
        byte[] init = HandshakePair.Poll(initiator);
        for (int length = 0; length < init.Length; length++)
        {
            Assert.NotEqual(Refusal.None, _pair.Answer(init.AsSpan(0, length), out _).Refusal);
        }

        _pair.Answer(init, out byte[] reply);
        for (int length = 0; length < reply.Length; length++)
        {
            Assert.False(initiator.TryHandle(_pair.Now, reply.AsSpan(0, length), out Refusal refusal));
            Assert.NotEqual(Refusal.None, refusal);
        }
    }

    [Fact]
    public void Random_bytes_are_refused_with_a_reason_and_never_throw()
    {
        const int Seed = 20_260_101; // change it to try others
        var random = new Random(Seed);
        HandshakeInitiator initiator = _pair.Initiate();
        for (int count = 0; count < 10_000; count++)
        {
            byte[] bytes = new byte[random.Next(4) switch { 0 => HandshakeInit.Size, 1 => HandshakeResponse.Size, 2 => CookieReply.Size, _ => random.Next(1500) }];
            random.NextBytes(bytes);
            if (bytes.Length > 4 && random.Next(4) != 0)
            {
                bytes.AsSpan(0, 4).Clear();
                bytes[0] = (byte)random.Next(0x50, 0x54);
            }

            Assert.NotEqual(Refusal.None, _pair.Answer(bytes, out _).Refusal);
            Assert.False(initiator.TryHandle(_pair.Now, bytes, out Refusal refusal), $"seed {Seed}, datagram {count}");
            Assert.NotEmpty(refusal.ToSentence());
        }
    }
}
