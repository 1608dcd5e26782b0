namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// CUBIC (RFC 9438): slow start ended by HyStart++, then growth along a cubic curve around the window at which the last
/// loss happened, never slower than a Reno flow. Losses inside one round trip count once.
/// </summary>
// spec: REC-30
internal sealed class CubicController : ICongestionController
{
    private const double Beta = 0.7;
    private const double C = 0.4;
    private const int InitialWindowDatagrams = 10;
    private const int MinWindowDatagrams = 2;
    private const double SlowStartGain = 2;
    private const double AvoidanceGain = 1.25;

    private SlowStartExit _slowStartExit = new();
    private CubicCurve _curve;
    private CubicCurve _beforeLoss;
    private double _threshold = double.PositiveInfinity;
    private double _thresholdBeforeLoss;
    private Instant? _recoveryStart;
    private double _pacingRate;
    private bool _isLocal;

    /// <summary>Starts with the initial window.</summary>
    public CubicController(int datagramSize)
    {
        DatagramSize = datagramSize;
        _curve.Window = InitialWindowDatagrams * (double)datagramSize;
    }

    /// <inheritdoc/>
    public long Window => (long)_curve.Window;

    /// <inheritdoc/>
    public int SendQuantum => PacingQuantum.For(_pacingRate, DatagramSize, _isLocal);

    /// <inheritdoc/>
    public bool IsHoldingBack => false;

    /// <inheritdoc/>
    public int DatagramSize { get; set; }

    private double MinWindow => MinWindowDatagrams * (double)DatagramSize;

    private bool IsSlowStart => _curve.Window < _threshold;

    /// <inheritdoc/>
    public double PacingRate(TimeSpan smoothedRoundTrip)
    {
        double seconds = Math.Max(smoothedRoundTrip.TotalSeconds, 1e-6);
        return _pacingRate = (IsSlowStart ? SlowStartGain : AvoidanceGain) * _curve.Window / seconds;
    }

    /// <inheritdoc/>
    public void HandleSent(Instant now, long inFlight, bool isApplicationLimited)
    {
        if (IsSlowStart)
            _slowStartExit.HandleSent(now);
    }

    /// <inheritdoc/>
    public void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip)
    {
        _isLocal = PacingQuantum.IsLocal(roundTrip.Min);
        if (acked.LastSentAt <= _recoveryStart)
            return;
        if (IsSlowStart && (acked.WasWindowLimited || acked.InFlightBefore * 2 >= Window))
            GrowInSlowStart(acked, roundTrip);
        else if (!IsSlowStart && acked.WasWindowLimited)
            GrowAlongCurve(now, acked.Bytes, roundTrip.Smoothed);
        else
            _curve.EpochStart = null; // An idle period must not look like time on the curve.
    }

    /// <inheritdoc/>
    public void HandleLost(Instant now, in LostPacket lost)
    {
        if (lost.SentAt <= _recoveryStart)
            return;
        (_beforeLoss, _thresholdBeforeLoss) = (_curve, _threshold);
        _recoveryStart = now;
        _curve.EpochStart = null;
        bool isStillBelowOldMax = _curve.Window < _curve.LastMax;
        _curve.LastMax = isStillBelowOldMax ? _curve.Window * (1 + Beta) / 2 : _curve.Window; // Fast convergence: leave room to newcomers.
        _curve.PriorWindow = _curve.Window;
        _curve.Window = Math.Max(MinWindow, _curve.Window * Beta);
        _threshold = _curve.Window;
    }

    /// <inheritdoc/>
    public void HandleSpuriousLoss(Instant now)
    {
        if (_curve.Window >= _beforeLoss.Window)
            return;
        (_curve, _threshold) = (_beforeLoss, _thresholdBeforeLoss);
        _curve.EpochStart = null;
    }

    /// <inheritdoc/>
    public void HandlePersistentCongestion(Instant now, long inFlight)
    {
        _curve.Window = MinWindow;
        _curve.EpochStart = null;
        _beforeLoss = default;
        _slowStartExit = new();
    }

    private void GrowInSlowStart(in AckedPackets acked, RoundTripEstimator roundTrip)
    {
        _curve.Window = Math.Min(_threshold, _curve.Window + acked.Bytes / _slowStartExit.GrowthDivisor);
        if (acked.IsRoundTripSample && _slowStartExit.ShouldExit(acked.LastSentAt, roundTrip.Latest))
            _threshold = _curve.Window;
    }

    private void GrowAlongCurve(Instant now, long bytes, TimeSpan roundTrip)
    {
        if (_curve.EpochStart is null)
            StartEpoch(now);
        double seconds = (now - _curve.EpochStart!.Value + roundTrip).TotalSeconds;
        double distance = seconds - _curve.TimeToMaxSeconds;
        double cubic = _curve.LastMax + C * distance * distance * distance * DatagramSize;
        double window = _curve.Window;
        double target = Math.Clamp(cubic, window, window * 1.5);

        const double RenoGrowth = 3 * (1 - Beta) / (1 + Beta);
        double growth = _curve.RenoWindow < _curve.PriorWindow ? RenoGrowth : 1;
        _curve.RenoWindow += growth * bytes * DatagramSize / window;
        _curve.Window = Math.Max(window + (target - window) / window * bytes, _curve.RenoWindow);
    }

    private void StartEpoch(Instant now)
    {
        _curve.EpochStart = now;
        _curve.RenoWindow = _curve.Window;
        _curve.LastMax = Math.Max(_curve.LastMax, _curve.Window);
        _curve.TimeToMaxSeconds = Math.Cbrt((_curve.LastMax - _curve.Window) / DatagramSize / C);
    }

    /// <summary>The window and the curve that it follows since the epoch began.</summary>
    private struct CubicCurve
    {
        public double Window;
        public double LastMax;
        public double PriorWindow;
        public double RenoWindow;
        public double TimeToMaxSeconds;
        public Instant? EpochStart;
    }
}
