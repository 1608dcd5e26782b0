using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

public sealed class HandshakeTests : IDisposable
{
    private readonly HandshakePair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Both_sides_end_with_the_same_session()
    {
        HandshakeInitiator initiator = _pair.Initiate();

        Assert.True(_pair.TryConnect(initiator, out EstablishedSession? left, out EstablishedSession? right));

        Assert.Equal((ConnectionRole.Initiator, ConnectionRole.Responder), (left.Role, right.Role));
        Assert.Equal((left.LocalId, left.RemoteId), (right.RemoteId, right.LocalId));
        Assert.Equal(initiator.LocalId, left.LocalId);
        Assert.Equal((_pair.ResponderIdentity.PeerId, _pair.InitiatorIdentity.PeerId), (left.PeerId, right.PeerId));
        Assert.Equal(left.Transcript, right.Transcript.ToArray());
        Assert.Equal((left.Suite, left.Ticket, left.Verdict), (right.Suite, right.Ticket, right.Verdict));
        Assert.Equal(TicketVerdict.Open, left.Verdict);
        Assert.Equal(["10.0.0.2:2"], left.PeerCandidates.Select(candidate => candidate.Address.ToString()));
        Assert.Equal([CandidateKind.Host, CandidateKind.Reflexive], right.PeerCandidates.Select(candidate => candidate.Kind));
        Assert.Equal(left.LocalParameters, right.PeerParameters);
        Assert.Equal(HandshakeState.Established, initiator.State);
    }

    [Fact]
    [Trait("Spec", "PATH-61")]
    public void Both_sides_learn_what_the_other_knows_of_its_NATs_or_that_it_does_not_speak_of_them()
    {
        var cone = new NatProfile { Mapping = NatMapping.EndpointIndependent };
        Assert.True(_pair.TryConnect(_pair.Initiate(options => options with { Nat = cone }), out EstablishedSession? left, out EstablishedSession? right));
        Assert.Equal((cone, cone, null), (right.PeerNat!.Value, left.LocalNat, left.PeerNat));

        _pair.Responder.Nat = default(NatProfile);
        Assert.True(_pair.TryConnect(_pair.Initiate(), out left, out right));
        Assert.Equal((default(NatProfile), null), (left.PeerNat!.Value, right.PeerNat));
    }

    [Fact]
    public void Packets_sealed_by_one_side_open_on_the_other_in_every_epoch()
    {
        Assert.True(_pair.TryConnect(_pair.Initiate(), out EstablishedSession? left, out EstablishedSession? right));

        for (int epoch = 0; epoch < 3; epoch++)
        {
            using PacketKeys leftKeys = left.Keys.Next(), rightKeys = right.Keys.Next();
            AssertOpens(leftKeys.Sealer, rightKeys.Opener);
            AssertOpens(rightKeys.Sealer, leftKeys.Opener);
        }
    }

    [Theory]
    [InlineData(new[] { ProtectionSuite.Aegis128L, ProtectionSuite.ChaCha20Poly1305 }, new[] { ProtectionSuite.ChaCha20Poly1305, ProtectionSuite.Aegis128L }, ProtectionSuite.Aegis128L)]
    [InlineData(new[] { ProtectionSuite.Aegis128L, ProtectionSuite.ChaCha20Poly1305 }, new[] { ProtectionSuite.ChaCha20Poly1305 }, ProtectionSuite.ChaCha20Poly1305)]
    [InlineData(new[] { (ProtectionSuite)77, ProtectionSuite.Aes256Gcm }, new[] { ProtectionSuite.Aes256Gcm }, ProtectionSuite.Aes256Gcm)]
    [Trait("Spec", "HS-24")]
    public void The_first_offered_suite_that_the_responder_supports_is_chosen(ProtectionSuite[] offered, ProtectionSuite[] supported, ProtectionSuite chosen)
    {
        using var pair = new HandshakePair(2, options => options with { Suites = supported });

        Assert.True(pair.TryConnect(pair.Initiate(options => options with { Suites = offered }), out EstablishedSession? session, out _));

        Assert.Equal(chosen, session.Suite);
    }

    [Fact]
    [Trait("Spec", "HS-24")]
    public void Without_a_common_suite_there_is_silence()
    {
        using var pair = new HandshakePair(2, options => options with { Suites = [ProtectionSuite.Aes256Gcm] });

        HandshakeAnswer answer = pair.Answer(HandshakePair.Poll(pair.Initiate(options => options with { Suites = [ProtectionSuite.ChaCha20Poly1305] })), out _);

        Assert.Equal(new HandshakeAnswer(0, null, Refusal.NoCommonSuite), answer);
    }

    [Fact]
    [Trait("Spec", "HS-18")]
    [Trait("Spec", "HS-19")]
    public void Message_1_is_repeated_with_growing_pauses_until_the_attempt_is_over()
    {
        HandshakeInitiator initiator = _pair.Initiate();
        byte[] first = HandshakePair.Poll(initiator);
        var pauses = new List<double>();

        while (initiator.State == HandshakeState.Waiting)
        {
            pauses.Add((initiator.NextTimeout - _pair.Now).TotalSeconds);
            _pair.Now = initiator.NextTimeout;
            initiator.HandleTimeout(_pair.Now);
            if (initiator.TryPollTransmit(new byte[1500], out int length))
            {
                Assert.Equal(first.Length, length);
            }
        }

        Assert.Equal([0.25, 0.5, 1, 2, 2, 2, 2, 0.25], pauses);
        Assert.Equal(HandshakeState.TimedOut, initiator.State);
        Assert.Equal(Instant.Never, initiator.NextTimeout);
    }

    [Fact]
    [Trait("Spec", "HS-25")]
    public void A_repeated_message_1_gets_the_same_answer_and_no_second_session()
    {
        byte[] init = HandshakePair.Poll(_pair.Initiate());
        Assert.NotNull(_pair.Answer(init, out byte[] first).Session);

        HandshakeAnswer again = _pair.Answer(init, out byte[] second);

        Assert.Null(again.Session);
        Assert.Equal(Refusal.None, again.Refusal);
        Assert.Equal(first, second);
    }

    [Fact]
    [Trait("Spec", "HS-26")]
    public void A_recorded_message_1_is_refused_later()
    {
        byte[] init = HandshakePair.Poll(_pair.Initiate());
        _pair.Answer(init, out _);
        _pair.Now += AnsweredInits.Lifetime;

        Assert.Equal(new HandshakeAnswer(0, null, Refusal.Replayed), _pair.Answer(init, out _));
    }

    [Fact]
    [Trait("Spec", "HS-29")]
    public void Messages_1_of_one_peer_may_overtake_each_other()
    {
        byte[][] inits = [.. Enumerable.Range(0, 8).Select(_ => HandshakePair.Poll(_pair.Initiate()))];
        foreach (byte[] init in Enumerable.Reverse(inits))
            Assert.NotNull(_pair.Answer(init, out _).Session);
    }

    [Fact]
    [Trait("Spec", "HS-29")]
    public void A_clock_that_was_set_back_keeps_nobody_out()
    {
        Assert.NotNull(_pair.Answer(HandshakePair.Poll(_pair.Initiate()), out _).Session);
        long yesterday = (HandshakePair.StartUnixSeconds - 86_400) * 1_000_000_000;
        HandshakeInitiator late = _pair.Initiate(options => options with { TimestampUnixNanoseconds = yesterday });
        Assert.NotNull(_pair.Answer(HandshakePair.Poll(late), out _).Session);
    }

    [Fact]
    [Trait("Spec", "HS-26")]
    public void A_recording_is_refused_whatever_came_before_and_after_it()
    {
        byte[][] inits = [.. Enumerable.Range(0, 3 * GreatestTimestamps.Capacity).Select(_ => HandshakePair.Poll(_pair.Initiate()))];
        new Random(2026).Shuffle(inits);
        List<byte[]> accepted = [];
        foreach (byte[] init in inits)
        {
            _pair.Now += TimeSpan.FromSeconds(1);
            if (_pair.Answer(init, out _).Session is not null)
                accepted.Add(init);
        }

        Assert.True(accepted.Count >= GreatestTimestamps.Capacity);
        foreach (byte[] init in inits)
        {
            _pair.Now += AnsweredInits.Lifetime;
            Assert.Null(_pair.Answer(init, out _).Session);
        }
    }

    [Fact]
    public void A_repeated_message_1_names_its_own_session_although_another_peer_chose_the_same_id()
    {
        using PrivateIdentity other = PrivateIdentity.Create(_pair.Entropy);
        byte[] first = HandshakePair.Poll(Same(_pair.InitiatorIdentity)), second = HandshakePair.Poll(Same(other));
        EstablishedSession one = _pair.Answer(first, out _).Session!, two = _pair.Answer(second, out _).Session!;
        Assert.Equal(one.RemoteId, two.RemoteId);
        Assert.NotEqual(one.LocalId, two.LocalId);

        Assert.Equal(one.LocalId, _pair.Answer(first, out _).LocalId);
        Assert.Equal(two.LocalId, _pair.Answer(second, out _).LocalId);

        HandshakeInitiator Same(PrivateIdentity identity) => _pair.Initiate(options => options with { Identity = identity }, new SeededEntropy(99));
    }

    [Fact]
    public void A_second_answer_is_not_expected()
    {
        HandshakeInitiator initiator = _pair.Initiate();
        _pair.Answer(HandshakePair.Poll(initiator), out byte[] reply);
        Assert.True(initiator.TryHandle(_pair.Now, reply, out _));

        Assert.False(initiator.TryHandle(_pair.Now, reply, out Refusal refusal));

        Assert.Equal(Refusal.Unexpected, refusal);
    }

    [Fact]
    public void The_round_trip_is_measured_only_when_it_is_not_ambiguous()
    {
        HandshakeInitiator once = _pair.Initiate(), twice = _pair.Initiate();
        byte[] init = HandshakePair.Poll(once);
        HandshakePair.Poll(twice);
        _pair.Now += TimeSpan.FromMilliseconds(40);
        _pair.Answer(init, out byte[] reply);
        Assert.True(once.TryHandle(_pair.Now, reply, out _));
        _pair.Now = twice.NextTimeout;
        twice.HandleTimeout(_pair.Now);
        _pair.Answer(HandshakePair.Poll(twice), out reply);
        Assert.True(twice.TryHandle(_pair.Now, reply, out _));

        Assert.Equal(TimeSpan.FromMilliseconds(40), once.TakeSession().RoundTrip);
        Assert.Null(twice.TakeSession().RoundTrip);
    }

    private static void AssertOpens(IPacketSealer sealer, IPacketOpener opener)
    {
        byte[] header = [1, 2, 3], plaintext = [4, 5, 6, 7], ciphertext = new byte[4 + sealer.TagLength], opened = new byte[4];
        sealer.Seal(3, 9, header, plaintext, ciphertext);
        Assert.True(opener.TryOpen(3, 9, header, ciphertext, opened));
        Assert.Equal(plaintext, opened);
        Assert.False(opener.TryOpen(4, 9, header, ciphertext, opened));
        Assert.False(opener.TryOpen(3, 10, header, ciphertext, opened));
        Assert.False(opener.TryOpen(3, 9, [1, 2, 4], ciphertext, opened));
    }
}
