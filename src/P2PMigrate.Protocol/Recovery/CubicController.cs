namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// CUBIC (RFC 9438): slow start ended by HyStart++, then growth along a cubic curve around the window at which the last
/// loss happened, never slower than a Reno flow. Losses inside one round trip count once.
/// </summary>
// spec: REC-30
internal sealed class CubicController(int datagramSize) : ICongestionController
{
    private const double Beta = 0.7;
    private const double C = 0.4;
    private const int InitialWindowDatagrams = 10;
    private const int MinWindowDatagrams = 2;
    private const double SlowStartGain = 2;
    private const double AvoidanceGain = 1.25;

    private readonly SlowStartExit _slowStartExit = new();
    private double _window = InitialWindowDatagrams * (double)datagramSize;
    private double _threshold = double.PositiveInfinity;
    private double _lastMax;
    private double _renoWindow;
    private double _timeToMaxSeconds;
    private Instant? _epochStart;
    private Instant? _recoveryStart;

    /// <inheritdoc/>
    public long Window => (long)_window;

    private double MinWindow => MinWindowDatagrams * (double)datagramSize;

    private bool IsSlowStart => _window < _threshold;

    /// <inheritdoc/>
    public double PacingRate(TimeSpan smoothedRoundTrip)
    {
        double seconds = Math.Max(smoothedRoundTrip.TotalSeconds, 1e-6);
        return (IsSlowStart ? SlowStartGain : AvoidanceGain) * _window / seconds;
    }

    /// <inheritdoc/>
    public void HandleSent(Instant now, ulong packetNumber, int size, long bytesInFlight)
    {
        if (IsSlowStart)
            _slowStartExit.HandleSent(packetNumber);
    }

    /// <inheritdoc/>
    public void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip)
    {
        if (acked.LastSentAt <= _recoveryStart)
            return;
        if (!acked.WasWindowLimited)
        {
            _epochStart = null; // An idle period must not look like time on the curve.
            return;
        }

        if (IsSlowStart)
            GrowInSlowStart(acked, roundTrip);
        else
            GrowAlongCurve(now, acked.Bytes, roundTrip.Smoothed);
    }

    /// <inheritdoc/>
    public void HandleLost(Instant now, Instant lastSentAt, long bytes)
    {
        if (lastSentAt <= _recoveryStart)
            return;
        _recoveryStart = now;
        _epochStart = null;
        bool isStillBelowOldMax = _window < _lastMax;
        _lastMax = isStillBelowOldMax ? _window * (1 + Beta) / 2 : _window; // Fast convergence: leave room to newcomers.
        _window = Math.Max(MinWindow, _window * Beta);
        _threshold = _window;
    }

    private void GrowInSlowStart(in AckedPackets acked, RoundTripEstimator roundTrip)
    {
        _window = Math.Min(_threshold, _window + acked.Bytes / _slowStartExit.GrowthDivisor);
        if (_slowStartExit.ShouldExit(acked.LargestNumber, roundTrip.Latest))
            _threshold = _window;
    }

    private void GrowAlongCurve(Instant now, long bytes, TimeSpan roundTrip)
    {
        if (_epochStart is null)
            StartEpoch(now);
        double seconds = (now - _epochStart!.Value + roundTrip).TotalSeconds;
        double distance = seconds - _timeToMaxSeconds;
        double cubic = _lastMax + C * distance * distance * distance * datagramSize;
        double target = Math.Clamp(cubic, _window, _window * 1.5);

        const double RenoGrowth = 3 * (1 - Beta) / (1 + Beta);
        double growth = _renoWindow < _lastMax ? RenoGrowth : 1;
        _renoWindow += growth * bytes * datagramSize / _window;
        _window += (target - _window) / _window * bytes;
        _window = Math.Max(_window, _renoWindow);
    }

    private void StartEpoch(Instant now)
    {
        _epochStart = now;
        _renoWindow = _window;
        _lastMax = Math.Max(_lastMax, _window);
        _timeToMaxSeconds = Math.Cbrt((_lastMax - _window) / datagramSize / C);
    }
}
