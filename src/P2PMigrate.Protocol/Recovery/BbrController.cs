namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// BBR, version 3 (draft-ietf-ccwg-bbr): sends at the rate that the path was measured to deliver, with little more in
/// flight than fits on it, and probes now and then whether it carries more. Losses of less than two in a hundred do not
/// slow it down. States and steps follow the draft. One owner.
/// </summary>
// spec: REC-41, REC-42, REC-43, REC-44, REC-45, REC-46
internal sealed class BbrController : ICongestionController
{
    private const double Beta = 0.7;
    private const double PacingMargin = 0.99;
    private const int InitialWindowDatagrams = 10;
    private const int MinWindowDatagrams = 4;
    private const int StartupLossRuns = 6;
    private const int DrainRounds = 3;
    private const int LocalQuanta = 3;

    private static readonly TimeSpan s_roundTripProbe = TimeSpan.FromMilliseconds(200);

    private readonly BbrBandwidth _bandwidth = new();
    private readonly BbrPlateau _plateau = new();
    private readonly BbrRoundTrip _roundTrip = new();
    private readonly BbrQueue _queue = new();
    private readonly BbrAggregation _aggregation = new();
    private readonly BbrLossRound _lossRound = new();
    private readonly BbrVolume _volume = new();
    private readonly BbrProbeClock _clock;
    private BbrFeedback _feedback;
    private BbrUndo _undo;
    private double _window;
    private double _savedWindow;
    private double _pacingRate;
    private long _roundEndsAt;
    private long _delivered;
    private int _rounds;
    private int _drainStartRound;
    private bool _isRoundStart;
    private bool _isPathFilled;
    private bool _isProbeSample;
    private bool _wasProbeTooHigh;
    private bool _wasProbeCautious;
    private bool _isRestart;
    private bool _isLocal;
    private Instant? _roundTripProbeEnd;
    private bool _hasRoundPassed;

    /// <summary>Starts with the initial window. <paramref name="seed"/> spreads the times of probing over flows.</summary>
    public BbrController(int datagramSize, ulong seed)
    {
        DatagramSize = datagramSize;
        _window = InitialWindow;
        _clock = new(seed);
    }

    /// <summary>What it is doing.</summary>
    public BbrState State { get; private set; } = BbrState.Startup;

    /// <summary>Bytes per second that the path is thought to deliver at present.</summary>
    public double Bandwidth => Math.Min(_bandwidth.Max, _lossRound.RateBound);

    /// <summary>The round trip of the path without queues, or <see cref="TimeSpan.MaxValue"/> before it is known.</summary>
    public TimeSpan MinRoundTrip => _roundTrip.Min;

    /// <inheritdoc/>
    public long Window => (long)_window;

    /// <inheritdoc/>
    public int SendQuantum => PacingQuantum.For(_pacingRate, DatagramSize, _isLocal);

    /// <inheritdoc/>
    public bool IsHoldingBack => State == BbrState.ProbeRoundTrip;

    /// <inheritdoc/>
    public int DatagramSize { get; set; }

    private double InitialWindow => InitialWindowDatagrams * (double)DatagramSize;

    private double MinWindow => MinWindowDatagrams * (double)DatagramSize;

    private bool IsInCycle => State is BbrState.Down or BbrState.Cruise or BbrState.Refill or BbrState.Up;

    private bool IsProbing => State is BbrState.Startup or BbrState.Refill or BbrState.Up;

    private double RoundTripProbeWindow =>
        Math.Max(Fitting(BbrGains.Window(BbrState.ProbeRoundTrip)), _isLocal ? LocalQuanta * SendQuantum : MinWindow);

    /// <inheritdoc/>
    public double PacingRate(TimeSpan smoothedRoundTrip) => _pacingRate > 0
        ? _pacingRate
        : BbrGains.Pacing(BbrState.Startup) * InitialWindow / Math.Max(smoothedRoundTrip.TotalSeconds, 1e-6);

    /// <inheritdoc/>
    public void HandleSent(Instant now, long inFlight, bool isApplicationLimited)
    {
        if (inFlight > 0 || !isApplicationLimited)
            return;
        _isRestart = true;
        _aggregation.Restart(now);
        if (IsInCycle)
            SetPacingRate(1);
        else if (State == BbrState.ProbeRoundTrip)
            LeaveRoundTripProbe(now);
    }

    /// <inheritdoc/>
    public void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip)
    {
        DeliverySample sample = acked.Delivery;
        if (_pacingRate <= 0)
            _pacingRate = PacingRate(roundTrip.Smoothed);
        _isLocal = PacingQuantum.IsLocal(roundTrip.Min);
        _delivered = sample.TotalDelivered;
        bool isLossRoundOver = UpdateModel(now, acked, sample);
        if (State == BbrState.Startup && _isPathFilled)
            (State, _drainStartRound) = (BbrState.Drain, _rounds);
        if (State == BbrState.Drain && (acked.InFlight <= VolumeFor(1) || _rounds > _drainStartRound + DrainRounds))
            EnterDown(now);
        if (_isPathFilled)
            AdvanceCycle(now, acked, sample);
        _roundTrip.Add(now, sample.RoundTrip);
        CheckRoundTripProbe(now, acked.InFlight, sample.IsApplicationLimited);
        _isRestart = false;
        if (isLossRoundOver)
            _lossRound.Advance(sample);
        SetPacingRate(State == BbrState.Cruise && !_isLocal ? _queue.Restraint : BbrGains.Pacing(State));
        SetWindow(acked.Bytes);
    }

    /// <inheritdoc/>
    public void HandleLost(Instant now, in LostPacket lost)
    {
        _delivered = lost.TotalDelivered;
        if (_lossRound.HandleLost(lost))
            SaveForUndo();
        long lostSince = lost.TotalLost - lost.Mark.Lost;
        if (_isProbeSample && lostSince > lost.Mark.InFlight * BbrLossRound.LossThreshold)
            HandleTooMuch(now, lost, lostSince);
    }

    /// <inheritdoc/>
    // spec: REC-15
    public void HandleSpuriousLoss(Instant now)
    {
        _window = Math.Max(_window, _savedWindow);
        _plateau.Reset();
        _lossRound.RestoreBounds(_undo.RateBound, _undo.VolumeBound);
        _volume.Bound = Math.Max(_volume.Bound, _undo.LongTermBound);
        BbrState? left = _undo.Left;
        _undo.Left = null;
        if (left == BbrState.Startup && State != BbrState.Startup)
        {
            _isPathFilled = false;
            State = State == BbrState.ProbeRoundTrip ? State : BbrState.Startup;
        }
        else if (left == BbrState.Up && State is not (BbrState.Up or BbrState.ProbeRoundTrip))
            EnterRefill();
    }

    /// <inheritdoc/>
    // spec: REC-24
    public void HandlePersistentCongestion(Instant now, long inFlight) =>
        _window = Math.Max(inFlight + DatagramSize, MinWindow); // It grows back to what the model says as packets get through.

    private bool UpdateModel(Instant now, in AckedPackets acked, in DeliverySample sample)
    {
        bool isLossRoundOver = _lossRound.HandleAcked(sample);
        _isRoundStart = sample.DeliveredBefore >= _roundEndsAt;
        if (_isRoundStart)
        {
            StartRound();
            _rounds++;
            _clock.HandleRound();
            _queue.HandleRound(_roundTrip.Min);
        }

        _bandwidth.Add(sample);
        _queue.Add(sample.RoundTrip);
        if (isLossRoundOver)
        {
            CheckStartupLoss(sample);
            _lossRound.Adapt(sample, IsProbing, _bandwidth.Max, Window);
        }

        _aggregation.Add(now, acked.Bytes, Bandwidth, Window);
        if (_isRoundStart)
        {
            _aggregation.HandleRound(_isPathFilled);
            _plateau.HandleRound(sample);
            _isPathFilled |= _plateau.IsReached;
        }

        return isLossRoundOver;
    }

    private void CheckStartupLoss(in DeliverySample sample)
    {
        if (State != BbrState.Startup || _lossRound.LossRuns < StartupLossRuns || !IsTooMuch(sample))
            return;
        _undo.Left = BbrState.Startup;
        _isPathFilled = true;
        _volume.Bound = Math.Max(Fitting(1), _lossRound.LatestDelivered);
    }

    private void AdvanceCycle(Instant now, in AckedPackets acked, in DeliverySample sample)
    {
        if (AdaptVolume(acked, sample) || !IsInCycle)
            return;
        if (State == BbrState.Refill && _isRoundStart)
        {
            _isProbeSample = true;
            EnterUp(sample);
        }
        else if (State == BbrState.Up && IsTimeToGoDown(acked, sample))
        {
            _wasProbeTooHigh = false;
            EnterDown(now);
        }
        else if (State is BbrState.Down or BbrState.Cruise && _clock.IsTime(now, Math.Min(Fitting(1), _window) / DatagramSize))
            EnterRefill();
        else if (State == BbrState.Down && acked.InFlight <= Math.Min(_volume.WithHeadroom(DatagramSize, MinWindow), VolumeFor(1)))
            State = BbrState.Cruise;
    }

    /// <summary>Learns from probing how much the path takes; true when that has changed the state.</summary>
    private bool AdaptVolume(in AckedPackets acked, in DeliverySample sample)
    {
        if (_feedback == BbrFeedback.Starting && _isRoundStart)
            _feedback = BbrFeedback.Receiving;
        if (_feedback == BbrFeedback.Stopping && _isRoundStart)
        {
            _isProbeSample = false;
            _feedback = BbrFeedback.None;
            if (IsInCycle && !sample.IsApplicationLimited)
                _bandwidth.Advance();
            if (IsInCycle && _wasProbeCautious && !_wasProbeTooHigh)
            {
                EnterRefill();
                return true;
            }
        }

        if (IsTooMuch(sample) || !_volume.IsKnown)
            return false;
        _volume.HandleCarried(sample.InFlightAtSending);
        if (State != BbrState.Up || !acked.WasWindowLimited || _window < _volume.Bound)
            return false;
        _volume.Grow(acked.Bytes, DatagramSize);
        if (_isRoundStart)
            _volume.RaiseSlope(_window, DatagramSize);
        return false;
    }

    private bool IsTimeToGoDown(in AckedPackets acked, in DeliverySample sample)
    {
        if (_wasProbeTooHigh && acked.InFlight >= _volume.Bound)
            return _wasProbeCautious = true;
        if (!acked.WasWindowLimited || _window < _volume.Bound)
            return _plateau.IsReached || (_plateau.Rounds >= _volume.RoundsInQueue && _queue.IsStanding(_roundTrip.Min));
        _plateau.Reset(sample.Rate); // The bound held the probe back, not the path.
        return false;
    }

    private void HandleTooMuch(Instant now, in LostPacket lost, long lostSince)
    {
        _wasProbeTooHigh = true;
        _isProbeSample = false;
        if (!lost.Mark.IsApplicationLimited)
        {
            double before = lost.Mark.InFlight - lost.Size;
            double allowed = BbrLossRound.LossThreshold * before - (lostSince - lost.Size);
            double fine = before + Math.Max(0, allowed) / (1 - BbrLossRound.LossThreshold);
            _volume.Bound = Math.Max(fine, Math.Min(Fitting(1), _window) * Beta);
        }

        if (State != BbrState.Up)
            return;
        _undo.Left = BbrState.Up;
        EnterDown(now);
    }

    private void CheckRoundTripProbe(Instant now, long inFlight, bool isApplicationLimited)
    {
        if (State != BbrState.ProbeRoundTrip)
        {
            if (!_roundTrip.IsProbeDue || _isRestart || isApplicationLimited)
                return; // Whoever sends little makes no queue that could hide the round trip.
            State = BbrState.ProbeRoundTrip;
            _savedWindow = _window;
            _roundTripProbeEnd = null;
            _feedback = BbrFeedback.Stopping;
            StartRound();
        }

        if (_roundTripProbeEnd is not null)
        {
            _hasRoundPassed |= _isRoundStart;
            if (_hasRoundPassed)
                LeaveRoundTripProbe(now);
        }
        else if (inFlight <= RoundTripProbeWindow)
        {
            _roundTripProbeEnd = now + s_roundTripProbe;
            _hasRoundPassed = false;
            StartRound();
        }
    }

    private void LeaveRoundTripProbe(Instant now)
    {
        if (!(_roundTripProbeEnd < now))
            return;
        _roundTrip.HandleProbed(now);
        _window = Math.Max(_window, _savedWindow);
        _lossRound.ResetBounds();
        State = BbrState.Startup;
        if (!_isPathFilled)
            return;
        EnterDown(now);
        State = BbrState.Cruise; // Nothing stands in the queue.
    }

    private void EnterDown(Instant now)
    {
        _lossRound.ResetSignals();
        _volume.StopGrowth();
        _clock.Restart(now);
        _feedback = BbrFeedback.Stopping;
        StartRound();
        State = BbrState.Down;
    }

    private void EnterRefill()
    {
        _lossRound.ResetBounds();
        _volume.PrepareGrowth();
        _wasProbeCautious = false;
        _feedback = BbrFeedback.Refilling;
        StartRound();
        State = BbrState.Refill;
    }

    private void EnterUp(in DeliverySample sample)
    {
        _feedback = BbrFeedback.Starting;
        StartRound();
        _plateau.Reset(sample.Rate);
        State = BbrState.Up;
        _volume.RaiseSlope(_window, DatagramSize);
    }

    private void StartRound() => _roundEndsAt = _delivered;

    private void SaveForUndo()
    {
        _savedWindow = State == BbrState.ProbeRoundTrip ? Math.Max(_savedWindow, _window) : _window;
        _undo = new(null, _lossRound.RateBound, _lossRound.VolumeBound, _volume.Bound);
    }

    private static bool IsTooMuch(in DeliverySample sample) => sample.Lost > sample.InFlightAtSending * BbrLossRound.LossThreshold;

    /// <summary>So many times what fits on the path.</summary>
    private double Fitting(double gain) =>
        _roundTrip.Min == TimeSpan.MaxValue ? InitialWindow : gain * Bandwidth * _roundTrip.Min.TotalSeconds;

    /// <summary>So many times what fits on the path, and what stands at both ends because packets leave in batches.</summary>
    private double VolumeFor(double gain, long extra = 0)
    {
        double volume = Math.Max(Fitting(gain) + extra, (_isLocal ? LocalQuanta : 1) * SendQuantum);
        return Math.Max(volume, MinWindow) + (State == BbrState.Up ? 2 * DatagramSize : 0);
    }

    private void SetPacingRate(double gain)
    {
        double rate = gain * Bandwidth * PacingMargin;
        if (rate > _pacingRate || (_isPathFilled && rate > 0))
            _pacingRate = rate;
    }

    private void SetWindow(long acked)
    {
        double most = VolumeFor(BbrGains.Window(State), _aggregation.Extra);
        if (_isPathFilled)
            _window = Math.Min(_window + acked, most);
        else if (_window < most || _delivered < InitialWindow)
            _window += acked;
        _window = Math.Max(_window, MinWindow);
        if (State == BbrState.ProbeRoundTrip)
            _window = Math.Min(_window, RoundTripProbeWindow);

        double cap = State switch
        {
            BbrState.Down or BbrState.Refill or BbrState.Up => _volume.Bound,
            BbrState.Cruise or BbrState.ProbeRoundTrip => _volume.WithHeadroom(DatagramSize, MinWindow),
            _ => double.PositiveInfinity,
        };
        _window = Math.Min(_window, Math.Max(Math.Min(cap, _lossRound.VolumeBound), MinWindow));
    }
}
