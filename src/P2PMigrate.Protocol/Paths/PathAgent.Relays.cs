namespace P2PMigrate.Protocol.Paths;

/// <content>Addresses that TURN servers lend: our own come and go as sockets do, those of the peer are worth less than they look.</content>
internal sealed partial class PathAgent
{
    private readonly List<Candidate> _announced = [];

    /// <summary>These are the sockets from now on; a new one makes pairs with everything that the peer announced.</summary>
    // spec: TURN-01, PATH-02
    public void SetSockets(Instant now, IReadOnlyList<LocalSocket> sockets)
    {
        _sockets = sockets;
        foreach (Candidate candidate in _announced.ToArray())
            AddRemoteCandidate(now, candidate);
    }

    private void NoteAnnounced(Candidate candidate)
    {
        if (_announced.Contains(candidate))
            return;
        if (_announced.Count == 2 * Candidate.MaxCount)
            _announced.RemoveAt(0);
        _announced.Add(candidate);
    }

    // The peer may have been heard from there before it said what it is.
    // spec: TURN-07
    private void HandleLent(Instant now, CandidatePair pair)
    {
        PathKind before = pair.Kind;
        pair.LeadsToTurn = true;
        if (pair.Kind == before)
            return;
        if (pair == Primary)
            events.Add(new PrimaryPathChanged(pair.Status));
        Select(now);
        FollowSearch(now);
    }
}
