using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Finds out what became of the packets of one label, after RFC 9002: acknowledged, lost by packet or time threshold, or
/// unclear, which a probe timeout resolves. Reports the fate of their frames to the <see cref="ISentFrameSink"/>, feeds
/// the round-trip estimate and the congestion controller. One owner.
/// </summary>
internal sealed class LossRecovery(LossRecoveryContext context, ulong firstPacketNumber)
{
    // spec: CONST-74
    private const int MinPacketThreshold = 3;
    private const int MaxPacketThreshold = 128;
    private const int MinTimeThresholdEighths = 9;
    private const int MaxTimeThresholdEighths = 16;
    private const int LateAckRoundTrips = 2;
    private const int ProbesPerTimeout = 2;
    private const int MaxBackoffShift = 16;

    private readonly SentPacketRing _packets = new(firstPacketNumber);
    private ulong _firstOutstanding = firstPacketNumber;
    private int _packetThreshold = MinPacketThreshold;
    private int _timeThresholdEighths = MinTimeThresholdEighths;
    private ulong? _largestAcked;
    private Instant? _lossTime;
    private Instant _probeTimerBase;

    /// <summary>The round trip of the path.</summary>
    public required RoundTripEstimator RoundTrip { get; init; }

    /// <summary>The window of the path.</summary>
    public required ICongestionController Congestion { get; init; }

    /// <summary>The number that the next packet gets.</summary>
    public ulong NextPacketNumber => _packets.Next;

    /// <summary>May another packet be tracked?</summary>
    public bool HasRoom => _packets.HasRoom;

    /// <summary>Bytes sent and neither acknowledged nor lost.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>Probe timeouts since the last acknowledgement.</summary>
    public int TimeoutCount { get; private set; }

    /// <summary>Packets that go out whatever the window says, because a probe timeout fired.</summary>
    public int ProbesOwed { get; private set; }

    /// <summary>Was there nothing to send at the last attempt, so that the window was not put to the test?</summary>
    public bool IsApplicationLimited { get; set; } = true;

    /// <summary>What the fate of the packets says about their size.</summary>
    public SizeEvidence Sizes { get; } = new();

    /// <summary>Packets declared lost so far.</summary>
    public long LostCount { get; private set; }

    /// <summary>Packets declared lost and acknowledged later.</summary>
    public long SpuriousCount { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant? NextTimeout => _lossTime ?? (BytesInFlight > 0 ? _probeTimerBase + ProbeTimeout : null);

    /// <summary>How long to wait for an acknowledgement before asking for one, longer each time.</summary>
    // spec: REC-20
    public TimeSpan ProbeTimeout
    {
        get
        {
            TimeSpan first = RoundTrip.Timeout + context.PeerMaxAckDelay;
            TimeSpan cap = first > context.Options.MaxProbeTimeout ? first : context.Options.MaxProbeTimeout;
            TimeSpan backedOff = first * (1 << Math.Min(TimeoutCount, MaxBackoffShift));
            return backedOff < cap ? backedOff : cap;
        }
    }

    /// <summary>A packet left under <see cref="NextPacketNumber"/>; takes over its list of context.Frames.</summary>
    public void HandleSent(Instant now, int size, int frameList, bool isAckEliciting)
    {
        SentPacketState state = isAckEliciting ? SentPacketState.Outstanding : SentPacketState.Untracked;
        _packets.Add(new SentPacket { SentAt = now, Frames = frameList, Size = (ushort)size, State = state });
        if (!isAckEliciting)
        {
            context.Frames.Release(frameList);
            _packets[_packets.Next - 1].Frames = SentFramePool.None;
            Trim(now);
            return;
        }

        BytesInFlight += size;
        _probeTimerBase = now;
        ProbesOwed = Math.Max(0, ProbesOwed - 1);
        Congestion.HandleSent(now, _packets.Next - 1, size, BytesInFlight);
    }

    /// <summary>The peer acknowledges packets; false when it names one that was never sent.</summary>
    // spec: REC-10
    public bool TryHandleAck(Instant now, in AckFrame ack, out bool isProgress)
    {
        isProgress = false;
        if (ack.Largest >= _packets.Next)
            return false;
        bool isSample = ack.Largest >= _packets.First && _packets[ack.Largest].State == SentPacketState.Outstanding;
        bool wasLimited = !IsApplicationLimited || BytesInFlight * 2 >= Congestion.Window;
        long inFlightBefore = BytesInFlight;
        Instant lastSentAt = AcknowledgeRanges(ack);
        if (BytesInFlight == inFlightBefore)
            return true;

        isProgress = true;
        _largestAcked = Math.Max(_largestAcked ?? 0, ack.Largest);
        TimeoutCount = 0;
        if (isSample)
            RoundTrip.Add(now - _packets[ack.Largest].SentAt, ack.Delay < context.PeerMaxAckDelay ? ack.Delay : context.PeerMaxAckDelay);
        long acked = inFlightBefore - BytesInFlight;
        DetectLost(now);
        Congestion.HandleAcked(now, new(acked, ack.Largest, lastSentAt, wasLimited), RoundTrip);
        Trim(now);
        return true;
    }

    /// <summary>Does what is due: declares packets lost, or asks for probes.</summary>
    public void HandleTimeout(Instant now)
    {
        if (NextTimeout is not { } due || due > now)
            return;
        if (_lossTime is not null)
        {
            DetectLost(now);
            Trim(now);
            _probeTimerBase = now; // What was lost goes out now; its silence is measured from here.
            return;
        }

        _probeTimerBase = now;
        TimeoutCount++;
        ProbesOwed = ProbesPerTimeout;
        RepeatOldest();
    }

    /// <summary>
    /// The path is not used any more: what is in flight is declared lost, which says nothing about congestion.
    /// </summary>
    // spec: REC-22
    public void Abandon()
    {
        for (ulong number = _packets.First; number < _packets.Next; number++)
        {
            if (_packets[number].State == SentPacketState.Outstanding)
                Lose(ref _packets[number]);
        }

        _lossTime = null;
        ProbesOwed = 0;
        TimeoutCount = 0;
        _packets.Trim(Instant.Never);
        _firstOutstanding = _packets.First;
    }

    /// <summary>The path does not carry longer datagrams any more: those in flight are lost, which says nothing about congestion.</summary>
    // spec: PATH-44
    public void AbandonLonger(Instant now, int size)
    {
        for (ulong number = _packets.First; number < _packets.Next; number++)
        {
            if (_packets[number].State == SentPacketState.Outstanding && _packets[number].Size > size)
                Lose(ref _packets[number]);
        }

        ProbesOwed = 0;
        TimeoutCount = 0;
        _probeTimerBase = now;
        DetectLost(now);
        Trim(now);
    }

    private void Trim(Instant now)
    {
        _packets.Trim(now - RoundTrip.Timeout * LateAckRoundTrips);
        _firstOutstanding = Math.Max(_firstOutstanding, _packets.First);
        while (_firstOutstanding < _packets.Next && _packets[_firstOutstanding].State != SentPacketState.Outstanding)
            _firstOutstanding++;
    }

    private Instant AcknowledgeRanges(in AckFrame ack)
    {
        Instant lastSentAt = default;
        foreach (PacketRange range in ack)
        {
            if (range.Last < _packets.First)
                break;
            for (ulong number = Math.Max(range.First, _packets.First); number <= range.Last; number++)
            {
                ref SentPacket packet = ref _packets[number];
                if (packet.State == SentPacketState.Lost)
                    HandleSpuriousLoss(ref packet, ack.Largest - number);
                if (packet.State != SentPacketState.Outstanding)
                    continue;
                lastSentAt = Instant.Max(lastSentAt, packet.SentAt);
                Acknowledge(ref packet);
            }
        }

        return lastSentAt;
    }

    private void Acknowledge(ref SentPacket packet)
    {
        packet.State = SentPacketState.Acknowledged;
        Sizes.HandleAcked(packet.Size);
        BytesInFlight -= packet.Size;
        int list = packet.Frames;
        while (context.Frames.TryNext(ref list, out SentFrame frame))
            context.Sink.HandleAcked(frame);
        context.Frames.Release(packet.Frames);
        packet.Frames = SentFramePool.None;
    }

    // The network reorders more than we thought: be more patient from now on.
    // spec: REC-12
    private void HandleSpuriousLoss(ref SentPacket packet, ulong distance)
    {
        packet.State = SentPacketState.Acknowledged;
        SpuriousCount++;
        _timeThresholdEighths = Math.Min(_timeThresholdEighths + 1, MaxTimeThresholdEighths);
        if (distance >= (ulong)_packetThreshold)
            _packetThreshold = (int)Math.Min(distance + 1, MaxPacketThreshold);
    }

    // spec: REC-11
    private void DetectLost(Instant now)
    {
        _lossTime = null;
        TimeSpan longest = RoundTrip.Latest > RoundTrip.Smoothed ? RoundTrip.Latest : RoundTrip.Smoothed;
        TimeSpan delay = longest * _timeThresholdEighths / 8;
        delay = delay > RoundTripEstimator.Granularity ? delay : RoundTripEstimator.Granularity;
        Instant lastLostSentAt = default;
        long lostBytes = 0;
        for (ulong number = Math.Max(_firstOutstanding, _packets.First); number < _largestAcked; number++)
        {
            ref SentPacket packet = ref _packets[number];
            if (packet.State != SentPacketState.Outstanding)
                continue;
            if (_largestAcked < number + (ulong)_packetThreshold && packet.SentAt + delay > now)
            {
                _lossTime = packet.SentAt + delay;
                break;
            }

            lastLostSentAt = packet.SentAt;
            lostBytes += packet.Size;
            Sizes.HandleLost(packet.Size);
            Lose(ref packet);
        }

        if (lostBytes > 0)
            Congestion.HandleLost(now, lastLostSentAt, lostBytes);
    }

    private void Lose(ref SentPacket packet)
    {
        packet.State = SentPacketState.Lost;
        BytesInFlight -= packet.Size;
        LostCount++;
        ReportLost(packet);
        context.Frames.Release(packet.Frames);
        packet.Frames = SentFramePool.None;
    }

    // A probe that carries the oldest bytes again repairs the loss of a tail in one round trip instead of two.
    // spec: REC-21
    private void RepeatOldest()
    {
        int left = ProbesPerTimeout;
        for (ulong number = Math.Max(_firstOutstanding, _packets.First); number < _packets.Next && left > 0; number++)
        {
            if (_packets[number].State != SentPacketState.Outstanding)
                continue;
            ReportLost(_packets[number]);
            left--;
        }
    }

    private void ReportLost(in SentPacket packet)
    {
        int list = packet.Frames;
        while (context.Frames.TryNext(ref list, out SentFrame frame))
            context.Sink.HandleLost(frame);
    }
}

/// <summary>What the recovery of all labels of a session shares.</summary>
internal sealed record LossRecoveryContext(RecoveryOptions Options, TimeSpan PeerMaxAckDelay, SentFramePool Frames, ISentFrameSink Sink);

/// <summary>Learns what became of the frames that were sent.</summary>
internal interface ISentFrameSink
{
    /// <summary>The peer has the frame.</summary>
    void HandleAcked(in SentFrame frame);

    /// <summary>The frame is, or may be, lost: it has to be sent again if it still matters.</summary>
    void HandleLost(in SentFrame frame);
}
