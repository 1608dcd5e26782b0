using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>What a report is about, as far as it is known before anything happens.</summary>
/// <param name="Container">The container's name.</param>
/// <param name="From">This machine.</param>
/// <param name="To">The peer that the ticket names.</param>
internal sealed record ReportSubject(string Container, string From, string To);

/// <summary>One phase, in time since the beginning; <paramref name="Finished"/> is false for one that was broken off.</summary>
internal sealed record PhaseSpan(string Phase, TimeSpan Start, TimeSpan End, bool Finished);

/// <summary>So many bytes of content had moved, in all phases together.</summary>
internal readonly record struct BytesAt(TimeSpan Time, long Bytes);

/// <summary>
/// All that a migration showed its user, with the time at which it did: what a report is made of. Not safe for use from several threads.
/// </summary>
internal sealed class MigrationRecord(ReportSubject subject, DateTimeOffset began)
{
    private readonly List<PhaseSpan> _phases = [];
    private readonly List<RoundCompleted> _rounds = [];
    private readonly List<BytesAt> _progress = [new(TimeSpan.Zero, 0)];
    private readonly List<AgentEvent> _notes = [];
    private (string Phase, TimeSpan Start)? _open;
    private long _bytesOfPhase;          // in the phase that is open
    private long _bytesBefore;           // in those before it

    public ReportSubject Subject => subject;

    /// <summary>When the record began.</summary>
    public DateTimeOffset Began => began;

    /// <summary>When the last event came.</summary>
    public TimeSpan Length { get; private set; }

    /// <summary>Phases, in order.</summary>
    public IReadOnlyList<PhaseSpan> Phases => _phases;

    /// <summary>Live rounds, in order.</summary>
    public IReadOnlyList<RoundCompleted> Rounds => _rounds;

    /// <summary>How content moved.</summary>
    public IReadOnlyList<BytesAt> Progress => _progress;

    /// <summary>Findings, recovered jobs and the like, in order.</summary>
    public IReadOnlyList<AgentEvent> Notes => _notes;

    /// <summary>How data travelled last.</summary>
    public PathChosen? Path { get; private set; }

    /// <summary>The good end.</summary>
    public MigrationCompleted? Completed { get; private set; }

    /// <summary>The bad end.</summary>
    public MigrationFailed? Failed { get; private set; }

    /// <summary>From the freeze until the target was heard running, or until the container went on here; null when it was not frozen.</summary>
    public (TimeSpan Start, TimeSpan End)? Frozen
    {
        get
        {
            PhaseSpan? freeze = _phases.Find(phase => phase.Phase == "freezing");
            PhaseSpan? after = _phases.Find(phase => phase.Phase is "giving" or "destroying");
            PhaseSpan? undone = _phases.Find(phase => phase.Phase is "rolling back");
            return freeze is null ? null : (freeze.Start, after?.Start ?? undone?.End ?? Length);
        }
    }

    /// <summary>Was memory still to come when the last phase broke off?</summary>
    public bool Lacks => _phases is [.., { Phase: "giving", Finished: false }];

    /// <summary>Something was shown at <paramref name="time"/>.</summary>
    public void Add(AgentEvent shown, TimeSpan time)
    {
        Length = time;
        switch (shown)
        {
            case PhaseStarted started:
                Close(time, finished: false);
                _open = (started.Phase, time);
                break;
            case PhaseProgressed progressed:
                NoteBytes(time, progressed.BytesDone);
                break;
            case PhaseFinished finished:
                NoteBytes(time, finished.Bytes);
                Close(time, finished: true);
                break;
            case RoundCompleted round:
                _rounds.Add(round);
                break;
            case PathChosen path:
                Path = path;
                break;
            case MemoryFollows:
                break; // the timeline has it, and what a failed one needs is in its last word
            case MigrationCompleted completed:
                Close(time, finished: true);
                Completed = completed;
                break;
            case MigrationFailed failed:
                Close(time, finished: _open?.Phase == "rolling back");
                Failed = failed;
                break;
            default:
                _notes.Add(shown);
                break;
        }
    }

    private void NoteBytes(TimeSpan time, long done)
    {
        _bytesOfPhase = Math.Max(_bytesOfPhase, done);
        _progress.Add(new BytesAt(time, _bytesBefore + _bytesOfPhase));
    }

    private void Close(TimeSpan time, bool finished)
    {
        if (_open is not { } open)
            return;
        _phases.Add(new PhaseSpan(open.Phase, open.Start, time, finished));
        (_open, _bytesBefore, _bytesOfPhase) = (null, _bytesBefore + _bytesOfPhase, 0);
    }
}
