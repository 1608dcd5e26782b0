using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// Decides after each live round whether another one pays. It predicts what the downtime would be if the freeze began now, and ends the
/// rounds when that is good enough, gets no better, or cannot get better. Knows no clock; the figures come from outside.
/// </summary>
// spec: MIG-23, MIG-83, MIG-84
internal sealed class Convergence(CopyOptions options, DowntimeCosts costs)
{
    /// <summary>A prediction that shrinks by less than this part does not shrink.</summary>
    public const double LeastGain = 0.1;

    /// <summary>The least content that tells how fast content travels; less is mostly waiting.</summary>
    public const long TellingBytes = 1 << 20;

    /// <summary>
    /// How often the source waits for the target under the freeze: the receipt of memory, the demand and the receipt of the final round, <c>Prepared</c>, <c>Running</c>.
    /// </summary>
    public const int RoundTrips = 5;

    /// <summary>How fast content travels as long as nobody knows, in bytes a second.</summary>
    public const double DefaultRate = 50e6;

    private int _round = -1;
    private long _previousFiles = long.MaxValue;
    private bool _haveFilesConverged;
    private TimeSpan? _previousPrediction;

    /// <summary>How fast content travelled, in bytes a second before compression.</summary>
    public double Rate { get; private set; } = DefaultRate;

    /// <summary>Was <see cref="Rate"/> measured?</summary>
    public bool IsRateKnown { get; private set; }

    /// <summary>What the switchover is expected to cost beside sending.</summary>
    public DowntimeCosts Costs { get; private set; } = costs;

    /// <summary>The target tells what it has learned, which counts as much as what was learned here, but for what is too far from it.</summary>
    // spec: MIG-123
    public void Hear(DowntimeCosts? targets)
    {
        if (targets is not { } told)
            return;
        told = told.Near(Costs);
        Costs = Costs.Migrations == 0 ? told : Costs.MeanWith(told);
    }

    /// <summary>The round that was judged last.</summary>
    public RoundSummary? Last { get; private set; }

    /// <summary>Is the dump to leave memory for later, where the target takes it? Known when the rounds are over.</summary>
    // spec: MIG-101, MIG-106
    public bool Leaves => options.Mode switch
    {
        MigrationMode.PostCopy or MigrationMode.Hybrid => true,
        MigrationMode.Auto => options.MayFollow && Last?.PredictedDowntime > options.DowntimeTarget && Last is { End: RoundsEnd.RoundLimit or RoundsEnd.NoRoom or RoundsEnd.NotImproving or RoundsEnd.DirtierThanLink },
        _ => false,
    };

    /// <summary>A round is over. A word and its answer take <paramref name="roundTrip"/> at present.</summary>
    public RoundSummary Judge(RoundFigures figures, TimeSpan roundTrip = default)
    {
        _round++;
        _haveFilesConverged |= RootfsRounds.IsConverged(_round, figures.RootfsBytes, _previousFiles);
        _previousFiles = figures.RootfsBytes;
        return Last = figures.Memory is { IsTelling: true } memory ? JudgeMemory(figures, memory, roundTrip) : JudgeFiles(figures);
    }

    private RoundSummary JudgeFiles(RoundFigures figures) => new(
        _round, figures.RootfsBytes, 0, 0, 0, TimeSpan.Zero, null, null, null, options.DowntimeTarget,
        _haveFilesConverged ? RoundsEnd.FilesConverged : _round + 1 >= options.MaxRounds ? RoundsEnd.RoundLimit : RoundsEnd.None);

    private RoundSummary JudgeMemory(RoundFigures figures, MemoryRound memory, TimeSpan roundTrip)
    {
        MeasureRate(memory);
        long expected = ExpectedBytes(memory);
        long files = _round == 0 ? 0 : figures.RootfsBytes;   // the first round sends what is there, not what changes
        TimeSpan sending = TimeSpan.FromSeconds((expected + files) / Rate);
        TimeSpan predicted = Costs.Fixed + (roundTrip * RoundTrips);
        predicted += options.Mode == MigrationMode.Hybrid ? TimeSpan.FromSeconds(files / Rate) // nobody waits for memory
            : ((memory.Pages + (memory.UnseenBytes / PageRun.PageSize)) * Costs.PerPage) + sending;
        var end = EndAfter(memory, predicted);
        _previousPrediction = predicted;
        double? dirty = memory.Interval is { } interval && interval > TimeSpan.Zero
            ? memory.ChangedPages * PageRun.PageSize / interval.TotalSeconds : null;
        return new RoundSummary(
            _round, figures.RootfsBytes, memory.Bytes, memory.NewBytes, memory.WireBytes, memory.Elapsed, dirty,
            expected, predicted, options.DowntimeTarget, end);
    }

    /// <summary>A pass that finds little to send is slow because it looks at everything, so it only counts when it was faster than what is known.</summary>
    private void MeasureRate(MemoryRound memory)
    {
        if (memory.NewBytes < TellingBytes || memory.Elapsed <= TimeSpan.Zero)
            return;
        double seen = memory.NewBytes / memory.Elapsed.TotalSeconds;
        if (!IsRateKnown || memory.NewPages >= memory.Pages / 2 || seen > Rate)
            (Rate, IsRateKnown) = (seen, true);
    }

    /// <summary>
    /// What will have changed by the freeze. A page waits half a pass, on average, and what changes in that time is in proportion to what changed between
    /// two passes; it is counted twice, since hot pages change again at once. Before there were two passes, everything may have changed. What no pass sees has to be
    /// sent in any case.
    /// </summary>
    private static long ExpectedBytes(MemoryRound memory)
    {
        if (memory.Interval is not { } interval || interval <= TimeSpan.Zero)
            return memory.Bytes + memory.UnseenBytes;
        return (long)(memory.NewBytes * Math.Min(1, memory.Elapsed / interval)) + memory.UnseenBytes;
    }

    private RoundsEnd EndAfter(MemoryRound memory, TimeSpan predicted)
    {
        if (_haveFilesConverged && predicted <= options.DowntimeTarget)
            return RoundsEnd.TargetMet;
        if (_round + 1 >= options.MaxRounds)
            return RoundsEnd.RoundLimit;
        if (!_haveFilesConverged)
            return RoundsEnd.None;
        if (memory.IsFull)
            return RoundsEnd.NoRoom;
        if (_previousPrediction is not { } previous || memory.Interval is not { } interval || predicted < previous * (1 - LeastGain))
            return RoundsEnd.None;
        return memory.NewBytes >= Rate * interval.TotalSeconds * (1 - LeastGain) ? RoundsEnd.DirtierThanLink : RoundsEnd.NotImproving;
    }
}
