namespace P2PMigrate.Protocol.Paths;

/// <summary>Answers that have to be sent, oldest first; when there are too many, new probes go unanswered. One owner.</summary>
internal sealed class ProbeResponder
{
    /// <summary>Answers that wait at most.</summary>
    // spec: CONST-77
    public const int Capacity = 32;

    private readonly Queue<OutgoingProbe> _pending = new(Capacity);

    /// <summary>Is an answer waiting?</summary>
    public bool HasPending => _pending.Count > 0;

    /// <summary>A probe came from there.</summary>
    public void Add(PathAddress from, ulong token)
    {
        if (_pending.Count < Capacity)
            _pending.Enqueue(new(from, token, IsResponse: true, from.Remote, ProbeTimetable.SmallDatagram));
    }

    /// <summary>Takes the oldest answer.</summary>
    public bool TryTake(out OutgoingProbe response) => _pending.TryDequeue(out response);
}
