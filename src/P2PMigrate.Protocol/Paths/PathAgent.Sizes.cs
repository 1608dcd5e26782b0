namespace P2PMigrate.Protocol.Paths;

/// <content>How long the datagrams may be that a path carries.</content>
internal sealed partial class PathAgent
{
    /// <summary>The machine itself refuses datagrams of this size on the path.</summary>
    // spec: PATH-45
    public void HandleTooLong(Instant now, PathAddress path, int size)
    {
        if (!_pairs.TryFind(path, out CandidatePair? pair))
            return;
        pair.Sizes.HandleTooLong(now, size);
        if (size <= pair.ValidatedSize)
            pair.ValidatedSize = options.Paths.MinDatagramSize;
        if (pair.State == PairState.Answered)
            _pairs.Schedule(pair, now); // The longer of the two first probes was refused: the shorter one need not wait.
    }

    // spec: PATH-42
    private bool TrySendSizeProbe(Instant now, CandidatePair pair, out OutgoingProbe probe)
    {
        probe = default;
        if (!_budget.TryTake(now))
        {
            pair.Sizes.Postpone(now + ProbeTimetable.Step);
            return false;
        }

        if (!pair.Sizes.TryNext(now, pair.PresentRoundTrip.Timeout + ProbeTimetable.Step, out int size))
            return false;
        probe = _maker.Make(now, pair, size);
        return true;
    }

    private void HandleSizeAnswered(Instant now, CandidatePair pair, int size)
    {
        if (size >= pair.Sizes.Proven)
            pair.Check.Close();
        else if (size >= pair.MinSize && pair.Check.TryEndRound())
            _pairs.Schedule(pair, now); // Its long ones were sent before, and are late now: the next round may begin.
        pair.Sizes.HandleAnswered(now, size);
        if (!pair.Check.IsOpen)
            _pairs.Schedule(pair, now + _timetable.KeepAlive(pair == Primary));
    }

    // spec: PATH-11, PATH-44
    private int PickSize(Instant now, CandidatePair pair)
    {
        if (pair.State == PairState.Answered)
            return pair.ProbeCount == 0 ? options.Paths.BaseDatagramSize : options.Paths.MinDatagramSize;
        if (pair.State == PairState.Probing && pair == _peer.At && pair.Allows(options.Paths.BaseDatagramSize))
            return options.Paths.BaseDatagramSize; // The peer is there already: one answer shall be enough to follow.
        if (!pair.Check.IsOpen)
            return ProbeTimetable.SmallDatagram;
        if (pair.Sizes.Proven == pair.MinSize)
            return pair.MinSize; // There is no shorter one to compare with.
        int size = pair.Check.IsShortNext ? pair.MinSize : pair.Sizes.Proven;
        pair.Check.HandleSent();
        if (pair.Check.HasVerdict)
            Shrink(now, pair);
        return size;
    }

    // spec: PATH-44
    private void Shrink(Instant now, CandidatePair pair)
    {
        BlackHoles++;
        pair.Check.Close();
        pair.ValidatedSize = pair.MinSize;
        pair.Sizes.Restart(now, pair.MinSize);
    }
}
