using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What a peer with valid keys may not do, and what happens to it. Streams: 00 is the initiator's first control stream.</summary>
public sealed class HostilePeerTests
{
    private static readonly TransportParameters s_small = new()
    {
        Control = new(StreamWindow: 100, ClassWindow: 150, Streams: 2),
        IdleTimeout = TimeSpan.FromSeconds(8),
    };

    [Theory]
    [InlineData("13", TunnelErrorCode.FrameEncoding)] // unknown type, spec: PKT-10
    [InlineData("08 00 00 05 61", TunnelErrorCode.FrameEncoding)] // cut short
    [InlineData("08 06 00 01 61", TunnelErrorCode.FrameEncoding)] // class 3 does not exist
    [InlineData("08 00 ffffffffffffffff 01 61", TunnelErrorCode.FrameEncoding)] // beyond 2^62, spec: STR-12
    [InlineData("10 0000000000000000", TunnelErrorCode.ProtocolViolation)] // a probe under a data label, spec: PKT-12
    [InlineData("02 01 05 00 00 00", TunnelErrorCode.AckOfUnsent)] // spec: REC-10
    [InlineData("02 01 ffffffffffffffff 00 00 00", TunnelErrorCode.AckOfUnsent)] // the largest number there is
    [InlineData("02 01 05 00 00 06", TunnelErrorCode.FrameEncoding)] // a range that reaches below 0, spec: PKT-14
    [InlineData("02 01 05 00 01 00 04 04", TunnelErrorCode.FrameEncoding)] // the same for a further one
    [InlineData("02 01 05 00 20 00", TunnelErrorCode.FrameEncoding)] // 32 further ranges
    [InlineData("02 01 05 00 01 00 ffffffffffffffff ffffffffffffffff", TunnelErrorCode.FrameEncoding)]
    [InlineData("02 1f 00 00 00 00", TunnelErrorCode.AckOfUnsent)] // a label never used
    [InlineData("02 ff 00 00 00 00", TunnelErrorCode.AckOfUnsent)] // a label that cannot exist
    [InlineData("08 00 4064 01 61", TunnelErrorCode.FlowControl)] // byte 100 of a window of 100, spec: STR-22
    [InlineData("08 00 4063 01 61 08 08 33 01 61", TunnelErrorCode.FlowControl)] // the class window of 150
    [InlineData("09 00 05 00 08 00 04 02 6162", TunnelErrorCode.FinalSize)] // spec: STR-14
    [InlineData("08 00 00 02 6162 08 00 01 01 63", TunnelErrorCode.StreamDataChanged)] // spec: STR-13
    [InlineData("08 10 00 01 61", TunnelErrorCode.StreamLimit)] // the third of two streams, spec: STR-03
    [InlineData("04 01 00", TunnelErrorCode.StreamState)] // our own stream that we never opened, spec: STR-04
    [InlineData("03 00 00 4064", TunnelErrorCode.None)]
    [InlineData("03 00 00 4065", TunnelErrorCode.FlowControl)]
    [InlineData("03 00 00 05 03 00 00 06", TunnelErrorCode.FinalSize)]
    [InlineData("01", TunnelErrorCode.None)]
    [InlineData("09 00 00 01 61 03 00 00 01", TunnelErrorCode.None)] // a reset after the end changes nothing
    [InlineData("09 00 00 01 61 03 00 00 02", TunnelErrorCode.FinalSize)] // and may not move it
    [InlineData("03 00 00 02 09 00 00 02 6162", TunnelErrorCode.None)] // an end that was on its way before the reset
    [InlineData("03 00 00 02 08 00 02 01 61", TunnelErrorCode.FinalSize)] // bytes behind it
    [InlineData("03 00 00 ffffffffffffffff", TunnelErrorCode.FlowControl)] // a final size of 2^62 - 1
    [InlineData("09 00 ffffffffffffffff 00", TunnelErrorCode.FlowControl)]
    [InlineData("08 fffffffffffffff8 00 01 61", TunnelErrorCode.StreamLimit)] // the last stream that there can be
    [InlineData("03 fffffffffffffff8 00 00", TunnelErrorCode.StreamLimit)]
    [InlineData("08 fffffffffffffff9 00 01 61", TunnelErrorCode.StreamState)] // the same of the other opener
    [InlineData("08 01 00 01 61", TunnelErrorCode.StreamState)]
    [InlineData("03 01 00 00", TunnelErrorCode.StreamState)]
    [InlineData("06 01 05", TunnelErrorCode.StreamState)]
    [InlineData("05 00 ffffffffffffffff", TunnelErrorCode.None)] // as much credit as there can be
    [InlineData("05 03 05", TunnelErrorCode.FrameEncoding)]
    [InlineData("07 00 ffffffffffffffff", TunnelErrorCode.FrameEncoding)] // more streams than there are ids
    [InlineData("0a 05 61", TunnelErrorCode.FrameEncoding)] // a datagram cut short
    [InlineData("0a 00", TunnelErrorCode.None)]
    public void A_violation_ends_the_session_with_its_code(string frames, ulong code)
    {
        using ForgingPeer peer = new(s_small);
        peer.Send(frames);
        Assert.Equal(code == TunnelErrorCode.None ? null : code, peer.Error);
        if (peer.Error is null)
            return;
        Assert.False(peer.Connection.CloseReason!.Value.ByPeer);
        (_, _, byte[] answer, _) = Assert.Single(peer.Drain(), packet => packet.Frames[0] == (byte)FrameType.Close);
        WireReader reader = new(answer.AsSpan(1));
        Assert.True(CloseFrame.TryParse(ref reader, out CloseFrame close));
        Assert.Equal(code, close.Code);
        Assert.NotEmpty(close.ReasonText);
    }

    // spec: PKT-12
    [Fact]
    public void Data_under_the_label_of_probes_is_a_violation()
    {
        using ForgingPeer peer = new();
        peer.Send(0, [(byte)FrameType.Ping]);
        Assert.Equal(TunnelErrorCode.ProtocolViolation, peer.Error);
    }

    // spec: STR-13
    [Fact]
    public void Of_ranges_that_overlap_and_differ_what_was_read_counts_and_what_waits_ends_the_session()
    {
        using ForgingPeer peer = new(s_small);
        StreamId stream = StreamId.Create(ConnectionRole.Initiator, StreamClass.Control, 0);
        peer.Send("08 00 00 03 616263");
        byte[] read = new byte[3];
        Assert.Equal(3, peer.Connection.Read(stream, read).Count);
        peer.Send("08 00 01 03 787964"); // The first two were read already and differ.
        Assert.Null(peer.Error);
        Assert.Equal(1, peer.Connection.Read(stream, read).Count);
        Assert.Equal((byte)'d', read[0]);
        peer.Send("08 00 05 02 6667");
        peer.Send("08 00 04 03 656678"); // The last one waits and differs.
        Assert.Equal(TunnelErrorCode.StreamDataChanged, peer.Error);
    }

    // spec: PKT-15
    [Fact]
    public void A_label_is_acknowledged_once_in_a_packet()
    {
        using ForgingPeer peer = new();
        peer.Send("01");
        peer.Send("01");
        peer.Drain();
        peer.Send("02 01 00 00 00 00");
        Assert.Null(peer.Error);
        peer.Send("02 01 00 00 00 00 02 01 00 00 00 00");
        Assert.Equal(TunnelErrorCode.ProtocolViolation, peer.Error);
    }

    // spec: PKT-11
    [Fact]
    public void An_empty_packet_is_a_violation()
    {
        using ForgingPeer peer = new();
        peer.Send(1, []);
        Assert.Equal(TunnelErrorCode.FrameEncoding, peer.Error);
    }

    // spec: PKT-03
    [Fact]
    public void A_packet_that_comes_twice_counts_once()
    {
        using ForgingPeer peer = new();
        byte[] datagram = peer.Seal(1, [(byte)FrameType.Ping]);
        peer.Deliver(datagram);
        peer.Deliver(datagram);
        Assert.Equal((1L, 1L), (peer.Connection.Statistics.DatagramsReceived, peer.Connection.Statistics.DatagramsDropped));
    }

    // spec: REC-16
    [Fact]
    public void A_peer_that_acknowledges_what_it_cannot_have_received_is_found_out()
    {
        using ForgingPeer peer = new();
        Assert.True(peer.Connection.TryOpenStream(Protocol.Streams.StreamClass.Bulk, out Protocol.Streams.StreamId id));
        for (int round = 0; round < 2_000 && peer.Error is null; round++)
        {
            peer.Connection.Write(id, new byte[10_000]);
            peer.Drain();
            peer.Now += TimeSpan.FromMilliseconds(20);
            peer.Connection.HandleTimeout(peer.Now);
            if (peer.LargestUnderLabel1 is { } largest)
                peer.AcknowledgeUpTo(largest);
        }

        Assert.Equal(TunnelErrorCode.AckOfUnsent, peer.Error);
    }

    // spec: PKT-01, PKT-02
    [Fact]
    public void Datagrams_that_do_not_open_change_nothing()
    {
        using ForgingPeer peer = new();
        byte[] datagram = peer.Seal(1, Convert.FromHexString("0800000161"));
        for (int length = 0; length < datagram.Length; length++)
            peer.Deliver(datagram.AsSpan(0, length));
        for (int bit = 0; bit < datagram.Length * 8; bit++)
        {
            byte[] damaged = [.. datagram];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            peer.Deliver(damaged);
        }

        peer.Deliver(peer.Seal(1, [(byte)FrameType.Ping], destination: new ConnectionId(3)));
        peer.Deliver(peer.Seal(200, [(byte)FrameType.Ping]));
        peer.Deliver(new byte[9000]);
        Assert.Equal(0, peer.Connection.Statistics.DatagramsReceived);
        Assert.False(peer.Connection.TryPollEvent(out TunnelEvent? happened) && happened is not PrimaryPathChanged);
        peer.Deliver(datagram);
        Assert.Equal(1, peer.Connection.Statistics.DatagramsReceived);
    }

    [Fact]
    public void Random_frames_end_the_session_or_do_not_but_never_throw()
    {
        SeededEntropy entropy = new(7);
        for (int seed = 0; seed < 3_000; seed++)
        {
            using ForgingPeer peer = new(s_small);
            for (int i = 0; i < 20 && peer.Error is null; i++)
            {
                byte[] frames = entropy.Take(1 + entropy.Take(1)[0] % 60);
                frames[0] %= 0x20;
                peer.Send((byte)(frames[0] is 0x10 or 0x11 ? 0 : 1), frames);
                peer.Drain();
            }
        }
    }

    // spec: PATH-08
    [Fact]
    public void A_probe_from_an_unknown_address_is_answered_within_three_times_its_bytes()
    {
        using ForgingPeer peer = new();
        byte[] probe = new byte[50];
        probe[0] = (byte)FrameType.PathChallenge;
        byte[] datagram = peer.Seal(0, probe);
        peer.Deliver(datagram, ForgingPeer.Elsewhere);
        var packets = peer.Drain().Where(packet => packet.To == ForgingPeer.Elsewhere).ToList();
        Assert.Contains(packets, packet => packet.Frames[0] == (byte)FrameType.PathResponse);
        while (peer.Connection.NextTimeout is { } next)
        {
            peer.Now = next;
            peer.Connection.HandleTimeout(peer.Now);
            packets.AddRange(peer.Drain().Where(packet => packet.To == ForgingPeer.Elsewhere));
        }

        Assert.InRange(packets.Sum(packet => packet.Length), 1, 3 * datagram.Length);
    }

    // spec: PATH-07
    [Fact]
    public void An_answer_from_another_address_than_the_probe_went_to_proves_nothing()
    {
        using ForgingPeer peer = new();
        byte[] probe = new byte[50];
        probe[0] = (byte)FrameType.PathChallenge;
        peer.Send(0, probe, ForgingPeer.Elsewhere);
        (_, _, byte[] challenge, _) = peer.Drain().First(packet => packet.To == ForgingPeer.Elsewhere && packet.Frames[0] == (byte)FrameType.PathChallenge);
        byte[] response = [(byte)FrameType.PathResponse, .. challenge.AsSpan(1, 8), 4, 192, 0, 2, 2, 0xE8, 3];
        peer.Send(0, response, ForgingPeer.Here);
        Assert.DoesNotContain(peer.Drain(), packet => packet.To == ForgingPeer.Elsewhere && packet.Length == 1200);
        peer.Send(0, response, ForgingPeer.Elsewhere);
        Assert.Contains(peer.Drain(), packet => packet.To == ForgingPeer.Elsewhere && packet.Length == 1200);
    }

    [Fact]
    public void A_flood_of_addresses_fills_no_memory()
    {
        using ForgingPeer peer = new();
        for (int i = 0; i < 5_000; i++)
        {
            byte[] probe = new byte[50];
            probe[0] = (byte)FrameType.PathChallenge;
            peer.Send(0, probe, ForgingPeer.Elsewhere with { Remote = ForgingPeer.Elsewhere.Remote.WithPort((ushort)(i + 1)) });
            if (i % 10 == 0)
                peer.Drain();
        }

        Assert.InRange(peer.Connection.Agent.Pairs.Count, 1, 64);
        Assert.Null(peer.Error);
    }

    // spec: PATH-04
    [Fact]
    public void Probes_are_bounded_in_rate_whatever_the_peer_announces()
    {
        using ForgingPeer peer = new();
        AnnounceMuch(peer);
        Assert.InRange(CountProbes([peer], TimeSpan.FromSeconds(2)), 100, 256 + 2 * 200 + 10);
    }

    // spec: PATH-84
    [Fact]
    public void Many_peers_together_have_no_more_probes_sent_to_silent_addresses_than_an_endpoint_may()
    {
        ProbeBudget shared = new();
        ForgingPeer[] peers = [.. Enumerable.Range(0, 20).Select(_ => new ForgingPeer(probing: shared))];
        Array.ForEach(peers, AnnounceMuch);
        int sent = CountProbes(peers, TimeSpan.FromSeconds(2));
        Array.ForEach(peers, peer => peer.Dispose());

        int ownPaths = 20 * 10; // of the path that each has from the start
        Assert.InRange(sent, ProbeBudget.Burst, ProbeBudget.Burst + 2 * ProbeBudget.PerSecond + ownPaths);
    }

    // spec: PATH-84
    [Fact]
    public void A_path_that_works_is_probed_even_when_other_sessions_have_spent_all_on_silent_addresses()
    {
        ProbeBudget shared = new();
        using ForgingPeer peer = new(probing: shared);
        Instant end = peer.Now + TimeSpan.FromSeconds(3);
        int toPath = 0;
        while (peer.Connection.NextTimeout is { } next && next < end)
        {
            peer.Now = Instant.Max(peer.Now, next);
            while (shared.TryTake(peer.Now))
            {
            }

            peer.Connection.HandleTimeout(peer.Now);
            toPath += peer.Drain().Count(packet => packet.Label == 0 && packet.To == ForgingPeer.Here);
        }

        Assert.InRange(toPath, 1, 20);
    }

    private static void AnnounceMuch(ForgingPeer peer)
    {
        peer.Connection.HandleNetworkChange(peer.Now, [.. Enumerable.Range(0, 8).Select(i => new LocalSocket(LocalInterface.Socket((byte)i), true, true))]);
        for (int i = 0; i < 16; i++)
            peer.Connection.AddRemoteCandidate(peer.Now, new(CandidateKind.Host, NetworkAddress.FromBytes([10, 0, 0, (byte)(i + 1)], 5)));
    }

    // All of them live in the same time.
    private static int CountProbes(ForgingPeer[] peers, TimeSpan duration)
    {
        int sent = 0;
        Instant end = peers[0].Now + duration;
        while (peers.MinBy(peer => peer.Connection.NextTimeout)!.Connection.NextTimeout is { } next && next < end)
        {
            Instant now = Instant.Max(peers[0].Now, next);
            foreach (ForgingPeer peer in peers)
            {
                peer.Now = now;
                peer.Connection.HandleTimeout(now);
                sent += peer.Drain().Count(packet => packet.Label == 0);
            }
        }

        return sent;
    }
}
