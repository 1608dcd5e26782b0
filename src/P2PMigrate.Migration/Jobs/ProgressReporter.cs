using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// Tells the user what a job does: phases as they begin and end, bytes as they move but not too often. Any thread may call; reports leave one at a
/// time and in order.
/// </summary>
internal sealed class ProgressReporter(MigrationEnvironment environment, JobId job, string container, IProgress<MigrationProgress>? progress)
{
    private readonly Lock _lock = new();
    private TransferMeter? _meter;
    private MigrationPhase? _phase;
    private int _round;
    private long _phaseStarted;
    private long _lastReport;

    /// <summary>Where the bytes are counted; set once before the first phase.</summary>
    public void Watch(TransferMeter meter) => _meter = meter;

    /// <summary>The job is in <paramref name="phase"/> now. Saying so twice does nothing.</summary>
    public void Enter(MigrationPhase? phase, int round = 0)
    {
        lock (_lock)
        {
            if (phase == _phase && round == _round)
                return;
            if (phase != MigrationPhase.RollingBack)
                Report(ProgressKind.Finished);
            _meter?.Restart();
            (_phase, _round, _phaseStarted) = (phase, round, environment.Time.GetTimestamp());
            Report(ProgressKind.Started);
        }
    }

    /// <summary>Bytes moved.</summary>
    public void Advance()
    {
        if (progress is null || environment.Time.GetElapsedTime(Interlocked.Read(ref _lastReport)) < environment.Timers.ProgressInterval)
            return;
        lock (_lock)
            Report(ProgressKind.Advanced);
    }

    /// <summary>The round under way is over.</summary>
    public void EndRound(RoundSummary round)
    {
        lock (_lock)
            Report(ProgressKind.RoundEnded, round);
    }

    private void Report(ProgressKind kind, RoundSummary? summary = null)
    {
        if (_phase is not { } phase || progress is null)
            return;
        Interlocked.Exchange(ref _lastReport, environment.Time.GetTimestamp());
        TimeSpan elapsed = environment.Time.GetElapsedTime(_phaseStarted);
        long done = _meter?.Content ?? 0;
        long expected = _meter?.Expected ?? 0;
        progress.Report(new MigrationProgress
        {
            JobId = job,
            Container = container,
            Kind = kind,
            Phase = phase,
            Round = _round,
            RoundSummary = summary,
            BytesDone = done,
            BytesTotal = expected > 0 ? Math.Max(expected, done) : null,
            BytesPerSecond = elapsed > TimeSpan.Zero ? done / elapsed.TotalSeconds : 0,
            Elapsed = elapsed,
        });
    }
}
