using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Finds out what became of the packets of one label, after RFC 9002: acknowledged, lost by packet or time threshold, or
/// unclear, which a probe timeout resolves. Reports the fate of their frames to the <see cref="ISentFrameSink"/>, feeds
/// the round-trip estimate and the congestion controller. One owner.
/// </summary>
internal sealed class LossRecovery(LossRecoveryContext context, ulong firstPacketNumber)
{
    private const int LateAckRoundTrips = 2;
    private const int ProbesPerTimeout = 2;
    private const int MaxBackoffShift = 16;
    private const int PersistentTimeouts = 3;

    // spec: CONST-180
    private const int MaxUnansweredTimeouts = 16;

    private readonly SentPacketRing _packets = new(firstPacketNumber);
    private readonly ReorderingTolerance _tolerance = new();
    private readonly LossEpisode _episode = new();
    private readonly SkippedNumbers _skipped = new(context.Entropy);
    private readonly FreshRanges _fresh = new();
    private ulong _firstOutstanding = firstPacketNumber;
    private ulong _windowLimitedUntil;
    private ulong? _largestAcked;
    private Instant? _lossTime;
    private Instant _probeTimerBase;
    private bool _isEpisodeUndone;
    private Instant? _silentSince;
    private ulong? _lastLost;

    /// <summary>The round trip of the path.</summary>
    public required RoundTripEstimator RoundTrip { get; init; }

    /// <summary>The window of the path.</summary>
    public required ICongestionController Congestion { get; init; }

    /// <summary>How fast the path delivers.</summary>
    public DeliverySampler Delivery { get; init; } = new();

    /// <summary>The number that the next packet gets.</summary>
    public ulong NextPacketNumber => _packets.Next;

    /// <summary>May another packet be tracked, apart from those that <see cref="HasRoomForProbe"/> speaks of?</summary>
    public bool HasRoom => _packets.HasRoom;

    /// <summary>May another packet be tracked because a probe timeout asks for it?</summary>
    // spec: REC-17
    public bool HasRoomForProbe => _packets.HasRoomForProbe;

    /// <summary>Are all numbers taken, and has the peer been asked in vain for so long that it is to be given up?</summary>
    // spec: REC-17
    public bool IsStuck => !HasRoom && TimeoutCount >= MaxUnansweredTimeouts;

    /// <summary>Bytes sent and neither acknowledged nor lost.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>Probe timeouts since the last acknowledgement.</summary>
    public int TimeoutCount { get; private set; }

    /// <summary>Packets that go out whatever the window says, because a probe timeout fired.</summary>
    public int ProbesOwed { get; private set; }

    /// <summary>What the fate of the packets says about their size.</summary>
    public SizeEvidence Sizes { get; } = new();

    /// <summary>Whether trains fare well on the path.</summary>
    public TrainWatch Trains { get; } = new();

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

    // spec: REC-24
    private TimeSpan PersistentDuration =>
        RoundTrip.HasSample ? (RoundTrip.Timeout + context.PeerMaxAckDelay) * PersistentTimeouts : TimeSpan.MaxValue;

    /// <summary>There is something to send, and the window does not allow it.</summary>
    public void MarkWindowLimited() => _windowLimitedUntil = _packets.Next;

    /// <summary>The window would allow more, and there is nothing to send.</summary>
    public void MarkApplicationLimited() => Delivery.MarkApplicationLimited(BytesInFlight);

    /// <summary>A packet left under <see cref="NextPacketNumber"/>; takes over the record of its frames.</summary>
    public void HandleSent(Instant now, int size, RecordedFrames frames, bool isAckEliciting)
    {
        SentPacket packet = new() { SentAt = now, Frames = frames, Size = (ushort)size, State = SentPacketState.Outstanding };
        if (!isAckEliciting)
        {
            context.Frames.Release(ref packet.Frames);
            packet.State = SentPacketState.Untracked;
            _packets.Add(packet);
            Trim(now);
            return;
        }

        Congestion.HandleSent(now, BytesInFlight, Delivery.IsApplicationLimited);
        packet.Mark = Delivery.HandleSent(now, size, BytesInFlight);
        _packets.Add(packet);
        BytesInFlight += size;
        _probeTimerBase = now;
        ProbesOwed = Math.Max(0, ProbesOwed - 1);
        if (!HasRoom)
            Trim(now);
        if (_skipped.HandleSent() && _packets.HasRoom)
            _packets.Add(new SentPacket { SentAt = now, Frames = RecordedFrames.None, State = SentPacketState.Skipped });
    }

    /// <summary>The <paramref name="count"/> packets from number <paramref name="first"/> on left together, or one alone.</summary>
    // spec: REC-50
    public void HandleDeparture(ulong first, int count)
    {
        for (ulong number = Math.Max(first, _packets.First); number < NextPacketNumber; number++)
            _packets[number].IsInTrain = count > 1;
        Trains.HandleSent(count);
    }

    /// <summary>The peer acknowledges packets; false when it names one that was never sent.</summary>
    // spec: REC-10, REC-16
    public bool TryHandleAck(Instant now, in AckFrame ack, out bool isProgress)
    {
        isProgress = false;
        if (ack.Largest >= _packets.Next)
            return false;
        _fresh.Take(ack);
        if (NamesSkipped())
            return false;
        bool isSample = ack.Largest >= _packets.First && _packets[ack.Largest].State == SentPacketState.Outstanding;
        long inFlightBefore = BytesInFlight;
        Instant lastSentAt = AcknowledgeFresh(now);
        if (_isEpisodeUndone)
            Congestion.HandleSpuriousLoss(now);
        _isEpisodeUndone = false;
        if (BytesInFlight == inFlightBefore)
            return true;

        isProgress = true;
        _largestAcked = Math.Max(_largestAcked ?? 0, ack.Largest);
        TimeoutCount = 0;
        if (isSample)
            RoundTrip.Add(now, now - _packets[ack.Largest].SentAt, ack.Delay < context.PeerMaxAckDelay ? ack.Delay : context.PeerMaxAckDelay);
        long acked = inFlightBefore - BytesInFlight;
        DetectLost(now);
        Congestion.HandleAcked(now, Describe(now, ack, acked, inFlightBefore, lastSentAt) with { IsRoundTripSample = isSample }, RoundTrip);
        if (Congestion.IsHoldingBack)
            Delivery.MarkApplicationLimited(BytesInFlight);
        Trim(now);
        return true;
    }

    /// <summary>
    /// Something else than data has measured the path first. What is in flight may have waited for longer than an answer takes,
    /// as is known only now: its silence is measured from here.
    /// </summary>
    // spec: REC-01
    public void LearnRoundTrip(Instant now, TimeSpan sample)
    {
        RoundTrip.Add(now, sample, TimeSpan.Zero);
        if (NextTimeout <= now)
            _probeTimerBase = now;
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

    /// <summary>The next packet goes out whatever the window says, and asks for an acknowledgement.</summary>
    public void Ask() => ProbesOwed = Math.Max(ProbesOwed, 1);

    /// <summary>
    /// The path is not used any more: what is in flight is declared lost, which says nothing about congestion.
    /// </summary>
    // spec: REC-22
    public void Abandon()
    {
        for (ulong number = _packets.First; number < _packets.Next; number++)
        {
            if (_packets[number].State == SentPacketState.Outstanding)
                Lose(ref _packets[number], SentPacketState.Abandoned);
        }

        _lossTime = null;
        _silentSince = null;
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
                Lose(ref _packets[number], SentPacketState.Abandoned);
        }

        _silentSince = null;
        ProbesOwed = 0;
        TimeoutCount = 0;
        _probeTimerBase = now;
        DetectLost(now);
        Trim(now);
    }

    private AckedPackets Describe(Instant now, in AckFrame ack, long acked, long inFlightBefore, Instant lastSentAt) => new()
    {
        Bytes = acked,
        LastSentAt = lastSentAt,
        WasWindowLimited = ack.Largest < _windowLimitedUntil,
        InFlightBefore = inFlightBefore,
        InFlight = BytesInFlight,
        Delivery = Delivery.Take(now, RoundTrip.Min),
    };

    private void Trim(Instant now)
    {
        _packets.Trim(now - RoundTrip.Timeout * LateAckRoundTrips);
        _firstOutstanding = Math.Max(_firstOutstanding, _packets.First);
        while (_firstOutstanding < _packets.Next && _packets[_firstOutstanding].State != SentPacketState.Outstanding)
            _firstOutstanding++;
    }

    private bool NamesSkipped()
    {
        foreach (PacketRange range in _fresh.Ranges)
        {
            for (ulong number = Math.Max(range.First, _packets.First); number <= range.Last; number++)
            {
                if (_packets[number].State == SentPacketState.Skipped)
                    return true;
            }
        }

        return false;
    }

    private Instant AcknowledgeFresh(Instant now)
    {
        Instant lastSentAt = default;
        foreach (PacketRange range in _fresh.Ranges)
        {
            for (ulong number = Math.Max(range.First, _packets.First); number <= range.Last; number++)
            {
                ref SentPacket packet = ref _packets[number];
                if (packet.State == SentPacketState.Lost)
                    HandleSpuriousLoss(ref packet);
                if (packet.State != SentPacketState.Outstanding)
                    continue;
                if (number < _largestAcked)
                    _tolerance.HandleReordered();
                lastSentAt = Instant.Max(lastSentAt, packet.SentAt);
                Delivery.HandleAcked(now, number, packet);
                Acknowledge(ref packet);
            }
        }

        context.Sink.HandleAckedAll();
        return lastSentAt;
    }

    private void Acknowledge(ref SentPacket packet)
    {
        packet.State = SentPacketState.Acknowledged;
        Trains.HandleFate(packet.IsInTrain, isLost: false);
        Sizes.HandleAcked(packet.Size);
        BytesInFlight -= packet.Size;
        if (packet.Frames.First.Kind != SentFrameKind.None)
            context.Sink.HandleAcked(packet.Frames.First);
        for (int list = packet.Frames.More; context.Frames.TryNext(ref list, out SentFrame frame);)
            context.Sink.HandleAcked(frame);
        context.Frames.Release(ref packet.Frames);
    }

    // The network reorders more than we thought: be more patient from now on.
    // spec: REC-12
    private void HandleSpuriousLoss(ref SentPacket packet)
    {
        packet.State = SentPacketState.Acknowledged;
        _silentSince = null;
        SpuriousCount++;
        Delivery.HandleSpuriouslyLost(packet.Size);
        _tolerance.HandleSpuriousLoss();
        _isEpisodeUndone |= _episode.HandleFound(packet.SentAt);
    }

    // spec: REC-11
    private void DetectLost(Instant now)
    {
        _lossTime = null;
        TimeSpan delay = _tolerance.Delay(RoundTrip);
        bool isPersistent = false;
        bool isAllSettled = true;
        for (ulong number = Math.Max(_firstOutstanding, _packets.First); number < _largestAcked; number++)
        {
            ref SentPacket packet = ref _packets[number];
            if (packet.State == SentPacketState.Acknowledged)
                _silentSince = null;
            if (packet.State != SentPacketState.Outstanding)
                continue;
            if (_largestAcked < number + (ulong)_tolerance.Distance && packet.SentAt + delay > now)
            {
                _lossTime = packet.SentAt + delay;
                isAllSettled = false;
                break;
            }

            _silentSince ??= packet.SentAt;
            isPersistent |= packet.SentAt - _silentSince.Value > PersistentDuration;
            Blame(now, number, packet);
            Lose(ref packet, SentPacketState.Lost);
        }

        if (isPersistent)
            Congestion.HandlePersistentCongestion(now, BytesInFlight);
        if (isPersistent || isAllSettled)
            _silentSince = null; // Told once; or the next in line is the largest one acknowledged, which ends the silence.
    }

    private void Blame(Instant now, ulong number, in SentPacket packet)
    {
        if (_episode.HandleLost(now, packet.SentAt))
            _tolerance.HandleLossEpisode();
        Sizes.HandleLost(packet.Size);
        Trains.HandleFate(packet.IsInTrain, isLost: true);
        Delivery.HandleLost(packet.Size);
        bool isNewGap = number != _lastLost + 1;
        _lastLost = number;
        Congestion.HandleLost(now, new(isNewGap, packet.Size, packet.SentAt, packet.Mark, Delivery.Delivered, Delivery.Lost));
    }

    private void Lose(ref SentPacket packet, SentPacketState state)
    {
        packet.State = state;
        BytesInFlight -= packet.Size;
        LostCount++;
        ReportLost(packet);
        context.Frames.Release(ref packet.Frames);
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
        if (packet.Frames.First.Kind != SentFrameKind.None)
            context.Sink.HandleLost(packet.Frames.First);
        for (int list = packet.Frames.More; context.Frames.TryNext(ref list, out SentFrame frame);)
            context.Sink.HandleLost(frame);
    }
}
