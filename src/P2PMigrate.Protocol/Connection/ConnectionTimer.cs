namespace P2PMigrate.Protocol.Connection;

/// <summary>Every timer of a session.</summary>
internal enum ConnectionTimer
{
    /// <summary>Nothing was heard from the peer: the session is lost.</summary>
    Idle,

    /// <summary>An acknowledgement that was held back is due.</summary>
    AckDelay,

    /// <summary>A packet counts as lost, or has to be probed for, on some path.</summary>
    LossDetection,

    /// <summary>The pacer lets the next packet go.</summary>
    Pacing,

    /// <summary>A probe of some pair is due: punching, validation or keep-alive.</summary>
    Probe,

    /// <summary>Data that came steadily has stopped: the peer is asked whether it still reaches us.</summary>
    Arrival,

    /// <summary>CLOSE is repeated, a flush has stalled, or the time to answer the peer's CLOSE is over.</summary>
    Close,

    /// <summary>The keys of the previous epoch are forgotten.</summary>
    KeyDiscard,
}

/// <summary>The deadlines of all timers. One owner.</summary>
internal sealed class TimerTable
{
    private readonly Instant?[] _deadlines = new Instant?[Enum.GetValues<ConnectionTimer>().Length];

    /// <summary>The deadline of a timer; null when it is not set.</summary>
    public Instant? this[ConnectionTimer timer]
    {
        get => _deadlines[(int)timer];
        set => _deadlines[(int)timer] = value == Instant.Never ? null : value;
    }

    /// <summary>The first deadline of all.</summary>
    public Instant? Earliest
    {
        get
        {
            Instant? earliest = null;
            foreach (Instant? deadline in _deadlines)
            {
                if (deadline is not null && !(earliest <= deadline))
                    earliest = deadline;
            }

            return earliest;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(", ", Enum.GetValues<ConnectionTimer>().Where(timer => this[timer] is not null).Select(timer => $"{timer} {this[timer]!.Value.Nanoseconds}"));
}
