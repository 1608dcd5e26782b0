using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

/// <summary>The payload codec on its own: behind the encryption an authenticated peer may still be hostile.</summary>
[Trait("Spec", "HS-20")]
public sealed class HandshakePayloadTests
{
    [Fact]
    [Trait("Spec", "HS-21")]
    [Trait("Spec", "HS-22")]
    public void The_largest_payload_fits_and_survives()
    {
        var payload = new HandshakePayload
        {
            Timestamp = ulong.MaxValue,
            Ticket = new TicketId(UInt128.MaxValue),
            Suites = [.. Enumerable.Range(1, ProtectionSuites.MaxOffered).Select(suite => (ProtectionSuite)suite)],
            Candidates = [.. Enumerable.Range(1, 20).Select(index => new Candidate(CandidateKind.Mapped, HandshakePair.Address($"[2001:db8::{index}]:{index}")))],
            Parameters = new TransportParameters { IdleTimeout = TimeSpan.FromMilliseconds(1 << 29) },
            ConnectionId = new ConnectionId(ulong.MaxValue),
            Verdict = TicketVerdict.Expired,
            Nat = new NatProfile { Allocation = PortAllocation.Block, LowestPort = 1024, HighestPort = 2047, Newest = HandshakePair.Address("[2001:db8::1]:1500") },
        };

        HandshakePayload read = Roundtrip(payload);

        Assert.Equal((payload.Timestamp, payload.Ticket, payload.ConnectionId, payload.Verdict), (read.Timestamp, read.Ticket, read.ConnectionId, read.Verdict));
        Assert.Equal(payload.Suites, read.Suites);
        Assert.Equal(payload.Candidates.Take(Candidate.MaxCount), read.Candidates);
        Assert.Equal(payload.Parameters, read.Parameters);
        Assert.Equal(payload.Nat, read.Nat);
        Assert.True(read.IsCompleteInit);
    }

    [Fact]
    public void A_field_of_a_later_revision_is_skipped()
    {
        byte[] bytes = Encode(Minimal());
        int end = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        ReadOnlySpan<byte> later = [200, 3, 0, 1, 2, 3];
        later.CopyTo(bytes.AsSpan(end));

        Assert.True(HandshakePayloadCodec.TryDecode(bytes, out HandshakePayload payload, out _));
        Assert.True(payload.IsCompleteInit);
    }

    [Theory]
    [InlineData("01020001000102000100", Refusal.BadValue)] // a known field twice
    [InlineData("01010001", Refusal.BadValue)] // a known field of the wrong length
    [InlineData("0801000900", Refusal.BadValue)] // a verdict without meaning
    [InlineData("0501000900", Refusal.BadValue)] // half a candidate
    [InlineData("09030000000000", Refusal.BadValue)] // half a profile
    [InlineData("0102", Refusal.Truncated)]
    [InlineData("01020001", Refusal.Truncated)]
    [InlineData("0102000100000001", Refusal.ReservedNotZero)]
    public void What_makes_no_sense_is_refused(string hex, Refusal expected)
    {
        Assert.False(HandshakePayloadCodec.TryDecode(Convert.FromHexString(hex), out _, out Refusal refusal));
        Assert.Equal(expected, refusal);
    }

    [Fact]
    public void More_candidates_than_allowed_are_refused()
    {
        byte[] candidate = [(byte)CandidateKind.Host, 4, 10, 0, 0, 1, 1, 0];
        byte[] bytes = [5, (byte)(17 * candidate.Length), 0, .. Enumerable.Repeat(candidate, 17).SelectMany(copy => copy)];

        Assert.False(HandshakePayloadCodec.TryDecode(bytes, out _, out Refusal refusal));
        Assert.Equal(Refusal.OverLimit, refusal);
    }

    [Fact]
    public void A_candidate_that_nothing_can_be_sent_to_is_left_out()
    {
        HandshakePayload payload = Minimal() with
        {
            Candidates = [new Candidate(CandidateKind.Host, HandshakePair.Address("224.0.0.1:5")), new Candidate(CandidateKind.Host, HandshakePair.Address("10.0.0.1:5"))],
        };

        Assert.Equal(["10.0.0.1:5"], Roundtrip(payload).Candidates.Select(candidate => candidate.Address.ToString()));
    }

    [Fact]
    public void Every_cut_and_random_bytes_are_answered_with_a_value()
    {
        const int Seed = 20_260_105; // change it to try others
        byte[] bytes = Encode(Minimal());
        for (int length = 0; length < bytes.Length; length++)
        {
            bool isGood = HandshakePayloadCodec.TryDecode(bytes.AsSpan(0, length), out HandshakePayload payload, out Refusal refusal);
            Assert.Equal(isGood, refusal == Refusal.None);
            Assert.True(isGood || refusal == Refusal.Truncated, $"length {length}");
        }

        var random = new Random(Seed);
        for (int count = 0; count < 10_000; count++)
        {
            byte[] noise = new byte[random.Next(HandshakeHeader.PayloadSize)];
            random.NextBytes(noise);
            for (int at = 0; at + 2 < noise.Length && random.Next(3) != 0; at += 3 + noise[at + 1])
            {
                noise[at] = (byte)random.Next(1, 11);
                noise[at + 2] = 0;
            }

            bool isGood = HandshakePayloadCodec.TryDecode(noise, out _, out Refusal refusal);
            Assert.True(isGood == (refusal == Refusal.None), $"seed {Seed}, payload {count}");
        }
    }

    private static HandshakePayload Minimal() => new()
    {
        Timestamp = 1,
        Ticket = new TicketId(2),
        Suites = [ProtectionSuite.ChaCha20Poly1305],
        Parameters = new TransportParameters(),
    };

    private static byte[] Encode(HandshakePayload payload)
    {
        byte[] bytes = new byte[HandshakeHeader.PayloadSize];
        HandshakePayloadCodec.Encode(payload, bytes);
        return bytes;
    }

    private static HandshakePayload Roundtrip(HandshakePayload payload)
    {
        Assert.True(HandshakePayloadCodec.TryDecode(Encode(payload), out HandshakePayload read, out Refusal refusal), refusal.ToSentence());
        return read;
    }
}
