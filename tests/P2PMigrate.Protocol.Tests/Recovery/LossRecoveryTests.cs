using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Recovery;

public sealed class LossRecoveryTests
{
    private const int Size = 1200;
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(40);

    private readonly Fates _fates = new();
    private readonly SentFramePool _pool = new();
    private readonly LossRecovery _recovery;
    private Instant _now = new(1_000_000_000);

    public LossRecoveryTests() => _recovery = new(new(new RecoveryOptions(), TimeSpan.FromMilliseconds(25), _pool, _fates, new SeededEntropy(1)), 0)
    {
        RoundTrip = new(TimeSpan.FromMilliseconds(100)),
        Congestion = new CubicController(Size),
    };

    [Fact]
    public void An_acknowledgement_frees_the_window_and_measures_the_round_trip()
    {
        Send(3);
        Wait(s_roundTrip);
        Assert.True(Ack(new PacketRange(0, 2)));
        Assert.Equal(0, _recovery.BytesInFlight);
        Assert.Equal(s_roundTrip, _recovery.RoundTrip.Smoothed);
        Assert.Equal([0UL, 1, 2], _fates.Acked);
        Assert.Null(_recovery.NextTimeout);
    }

    // spec: REC-10
    [Fact]
    public void An_acknowledgement_of_a_packet_that_was_never_sent_is_an_error()
    {
        Send(3);
        Assert.False(Ack(new PacketRange(0, 3)));
    }

    [Fact]
    public void The_same_acknowledgement_twice_changes_nothing()
    {
        Send(3);
        Ack(new PacketRange(0, 2));
        Ack(new PacketRange(0, 2));
        Assert.Equal(3, _fates.Acked.Count);
    }

    // spec: REC-11
    [Fact]
    public void Three_later_packets_declare_one_lost()
    {
        Send(4);
        Wait(s_roundTrip);
        Ack(new PacketRange(1, 2));
        Assert.Empty(_fates.Lost);
        Ack(new PacketRange(1, 3));
        Assert.Equal([0UL], _fates.Lost);
        Assert.Equal(0, _recovery.BytesInFlight);
    }

    // spec: REC-11
    [Fact]
    public void A_packet_is_lost_an_eighth_of_a_round_trip_after_one_that_was_sent_later()
    {
        Send(2);
        Wait(s_roundTrip);
        Ack(new PacketRange(1, 1));
        Assert.Empty(_fates.Lost);
        Assert.Equal(TimeSpan.FromMilliseconds(5), _recovery.NextTimeout!.Value - _now);
        Wait(TimeSpan.FromMilliseconds(5));
        _recovery.HandleTimeout(_now);
        Assert.Equal([0UL], _fates.Lost);
    }

    // spec: REC-12
    [Fact]
    public void A_late_acknowledgement_of_a_lost_packet_raises_the_thresholds()
    {
        Send(10);
        Wait(s_roundTrip);
        Ack(new PacketRange(5, 9));
        Assert.Equal([0UL, 1, 2, 3, 4], _fates.Lost);
        Ack(new PacketRange(0, 9));
        Assert.Equal(5, _recovery.SpuriousCount);

        _fates.Lost.Clear();
        Send(10);
        Ack(new PacketRange(15, 19));
        Assert.Empty(_fates.Lost);
    }

    // spec: REC-12
    [Fact]
    public void A_packet_that_is_overtaken_raises_the_threshold_before_anything_is_lost()
    {
        Send(3);
        Wait(s_roundTrip);
        Ack(new PacketRange(1, 2));
        Ack(new PacketRange(0, 2));
        Send(9);
        Ack(new PacketRange(4, 5));
        Ack(new PacketRange(3, 5));
        Assert.Empty(_fates.Lost);
    }

    // spec: REC-15
    [Fact]
    public void When_all_losses_of_an_episode_have_arrived_the_window_is_what_it_was()
    {
        Send(10);
        long window = _recovery.Congestion.Window;
        Wait(s_roundTrip);
        Ack(new PacketRange(5, 9));
        Assert.InRange(_recovery.Congestion.Window, 1, window - 1);
        Ack(new PacketRange(1, 9));
        Assert.InRange(_recovery.Congestion.Window, 1, window - 1);
        Ack(new PacketRange(0, 9));
        Assert.Equal(window, _recovery.Congestion.Window);
    }

    // spec: REC-24
    [Fact]
    public void Losing_everything_for_three_timeouts_is_persistent_congestion()
    {
        Send(1);
        Wait(s_roundTrip);
        Ack(new PacketRange(0, 0));
        TimeSpan timeout = _recovery.ProbeTimeout;
        for (int i = 0; i < 8; i++)
        {
            Send(1);
            Wait(timeout / 2);
        }

        Send(1);
        Wait(s_roundTrip);
        Ack(new PacketRange(9, 9));
        Assert.Equal(8, _recovery.LostCount);
        Assert.Equal(2 * Size, _recovery.Congestion.Window);
    }

    // spec: REC-24
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_silence_whose_losses_are_found_one_after_the_other_is_persistent_congestion_too(bool isBroken)
    {
        Send(1);
        Wait(s_roundTrip);
        Ack(new PacketRange(0, 0));
        TimeSpan longest = _recovery.ProbeTimeout * 3;
        Send(1);
        Wait(longest * 0.7);
        Send(1);
        Wait(longest * 0.4);
        Send(2);
        Wait(s_roundTrip);
        Assert.True(isBroken ? Ack(new PacketRange(4, 4), new PacketRange(2, 2)) : Ack(new PacketRange(4, 4)));
        Assert.Equal(isBroken ? [1UL] : [1UL, 2], _fates.Lost); // Number 3 may still be on its way.
        Assert.NotEqual(2 * Size, _recovery.Congestion.Window);

        _now = _recovery.NextTimeout!.Value;
        _recovery.HandleTimeout(_now);
        Assert.Equal(3UL, _fates.Lost[^1]);
        Assert.Equal(!isBroken, _recovery.Congestion.Window == 2 * Size);
    }

    // spec: REC-22, REC-24
    [Fact]
    public void A_path_that_was_given_up_in_a_silence_and_is_used_again_begins_anew()
    {
        Send(1);
        Wait(s_roundTrip);
        Ack(new PacketRange(0, 0));
        TimeSpan longest = _recovery.ProbeTimeout * 3;
        Send(1);
        Wait(longest * 0.5);
        Send(2);
        Wait(s_roundTrip);
        Ack(new PacketRange(3, 3));
        Assert.Equal([1UL], _fates.Lost); // Number 2 may still be on its way.
        _recovery.Abandon();

        Wait(longest * 10);
        Send(4);
        Wait(s_roundTrip);
        Ack(new PacketRange(7, 7));
        Assert.Equal(4UL, _fates.Lost[^1]);
        Assert.NotEqual(2 * Size, _recovery.Congestion.Window);
    }

    [Fact]
    public void Losses_in_a_row_are_one_gap_and_those_of_another_label_another()
    {
        LossLog log = new();
        foreach (LossRecovery label in new[] { WithLog(0), WithLog(3) })
        {
            ulong first = label.NextPacketNumber;
            for (int i = 0; i < 8; i++)
                label.HandleSent(_now, Size, RecordedFrames.None, isAckEliciting: true);
            Assert.True(Acknowledge(label, new PacketRange(first + 7, first + 7), new PacketRange(first + 2, first + 2)));
        }

        // 0 and 1, 3 and 4; then 3 and 4, which are no neighbours of the 4 before, 6 and 7.
        Assert.Equal([true, false, true, false, true, false, true, false], log.NewGaps);

        LossRecovery WithLog(ulong firstNumber) =>
            new(new(new RecoveryOptions(), TimeSpan.FromMilliseconds(25), _pool, _fates, new SeededEntropy(1)), firstNumber)
            {
                RoundTrip = new(TimeSpan.FromMilliseconds(100)),
                Congestion = log,
            };
    }

    // spec: REC-16
    [Fact]
    public void Acknowledging_ahead_of_what_arrived_is_found_out()
    {
        bool isFoundOut = false;
        for (int i = 0; i < 1_100 && !isFoundOut; i++)
        {
            Send(1);
            isFoundOut = !Ack(new PacketRange(0, _recovery.NextPacketNumber - 1));
        }

        Assert.True(isFoundOut);
    }

    [Fact]
    public void Ranges_that_come_again_and_again_in_any_order_of_frames_are_counted_once()
    {
        Random random = new(1);
        List<ulong> sent = [];
        for (int i = 0; i < 2_000; i++)
        {
            sent.Add(_recovery.NextPacketNumber);
            Send(1);
        }

        List<ulong> acked = [];
        for (int round = 0; round < 300; round++)
        {
            acked.Add(sent[random.Next(sent.Count)]);
            PacketNumberSet set = new();
            foreach (ulong number in acked.Skip(Math.Max(0, acked.Count - random.Next(1, 25))).Distinct())
                set.Add(number);
            Assert.True(Ack(set.Ranges.ToArray()));
        }

        Assert.Equal(acked.Distinct().Order(), _fates.Acked.Concat(_fates.Lost.Intersect(acked)).Distinct().Order());
        Assert.Equal(_fates.Acked.Count, _fates.Acked.Distinct().Count());
    }

    // spec: REC-20, REC-21
    [Fact]
    public void Silence_asks_for_probes_that_repeat_the_oldest_and_backs_off_to_the_cap()
    {
        Send(5);
        TimeSpan first = _recovery.ProbeTimeout;
        Assert.Equal(TimeSpan.FromMilliseconds(100 + 200 + 25), first);
        _now = _recovery.NextTimeout!.Value;
        _recovery.HandleTimeout(_now);
        Assert.Equal(2, _recovery.ProbesOwed);
        Assert.Equal([0UL, 1], _fates.Lost);
        Assert.Equal(5 * Size, _recovery.BytesInFlight);
        Assert.Equal(first * 2, _recovery.ProbeTimeout);
        for (int i = 0; i < 20; i++)
        {
            _now = _recovery.NextTimeout!.Value;
            _recovery.HandleTimeout(_now);
        }

        Assert.Equal(TimeSpan.FromSeconds(1), _recovery.ProbeTimeout);
    }

    // spec: REC-22
    [Fact]
    public void Leaving_a_path_gives_up_what_is_in_flight_without_shrinking_the_window()
    {
        Send(5);
        long window = _recovery.Congestion.Window;
        _recovery.Abandon();
        Assert.Equal([0UL, 1, 2, 3, 4], _fates.Lost);
        Assert.Equal(0, _recovery.BytesInFlight);
        Assert.Null(_recovery.NextTimeout);
        Assert.Equal(window, _recovery.Congestion.Window);
        Assert.Equal(5UL, _recovery.NextPacketNumber);
    }

    // spec: PATH-44
    [Fact]
    public void What_was_given_up_for_its_size_and_arrives_after_all_counts_neither_as_loss_nor_as_reordering()
    {
        Send(10);
        Wait(s_roundTrip);
        _recovery.AbandonLonger(_now, Size - 1);
        Assert.Equal(10, _fates.Lost.Count);
        Ack(new PacketRange(0, 9));
        Assert.Equal((0L, 0L), (_recovery.Delivery.Lost, _recovery.SpuriousCount));

        _fates.Lost.Clear();
        Send(4);
        Ack(new PacketRange(11, 13));
        Assert.Equal([10UL], _fates.Lost);
    }

    [Fact]
    public void Packets_that_only_acknowledge_are_not_waited_for()
    {
        for (int i = 0; i < 200_000; i++)
            _recovery.HandleSent(_now, 50, RecordedFrames.None, isAckEliciting: false);
        Assert.True(_recovery.HasRoom);
        Assert.Equal(0, _recovery.BytesInFlight);
        Assert.Null(_recovery.NextTimeout);
    }

    [Fact]
    public void In_steady_state_nothing_is_allocated()
    {
        Run(2_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _fates.IsCounting = false;
        Run(2_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);

        void Run(int rounds)
        {
            Span<byte> buffer = stackalloc byte[64];
            for (int i = 0; i < rounds; i++)
            {
                ulong number = _recovery.NextPacketNumber;
                Send(1);
                WireWriter writer = new(buffer);
                AckFrame.TryWrite(ref writer, 1, TimeSpan.Zero, [new(number, number)]);
                WireReader reader = new(buffer[1..writer.Written]);
                if (AckFrame.TryParse(ref reader, out AckFrame frame))
                    _recovery.TryHandleAck(_now, frame, out _);
            }
        }
    }

    private void Send(int count)
    {
        for (int i = 0; i < count; i++)
        {
            RecordedFrames frames = RecordedFrames.None;
            _pool.Add(ref frames, new SentFrame(SentFrameKind.Stream, _recovery.NextPacketNumber));
            _recovery.HandleSent(_now, Size, frames, isAckEliciting: true);
        }
    }

    private bool Ack(params PacketRange[] ranges) => Acknowledge(_recovery, ranges);

    private bool Acknowledge(LossRecovery recovery, params PacketRange[] ranges)
    {
        byte[] buffer = new byte[1000];
        WireWriter writer = new(buffer);
        Assert.True(AckFrame.TryWrite(ref writer, 1, TimeSpan.Zero, ranges));
        WireReader reader = new(buffer.AsSpan(1, writer.Written - 1));
        Assert.True(AckFrame.TryParse(ref reader, out AckFrame frame));
        return recovery.TryHandleAck(_now, frame, out _);
    }

    private void Wait(TimeSpan time) => _now += time;

    private sealed class Fates : ISentFrameSink
    {
        public bool IsCounting { get; set; } = true;

        public List<ulong> Acked { get; } = [];

        public List<ulong> Lost { get; } = [];

        public void HandleAcked(in SentFrame frame)
        {
            if (IsCounting)
                Acked.Add(frame.Subject);
        }

        public void HandleAckedAll()
        {
        }

        public void HandleLost(in SentFrame frame) => Lost.Add(frame.Subject);
    }

    /// <summary>A controller that lets everything go and remembers what it hears of losses.</summary>
    private sealed class LossLog : ICongestionController
    {
        public List<bool> NewGaps { get; } = [];

        public long Window => long.MaxValue;

        public int SendQuantum => Size;

        public bool IsHoldingBack => false;

        public int DatagramSize { get; set; } = Size;

        public double PacingRate(TimeSpan smoothedRoundTrip) => double.PositiveInfinity;

        public void HandleSent(Instant now, long inFlight, bool isApplicationLimited)
        {
        }

        public void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip)
        {
        }

        public void HandleLost(Instant now, in LostPacket lost) => NewGaps.Add(lost.IsNewGap);

        public void HandleSpuriousLoss(Instant now)
        {
        }

        public void HandlePersistentCongestion(Instant now, long inFlight)
        {
        }
    }
}
