using System.Buffers.Binary;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// The paths that carry data or did: the primary one, and others whose packets are still in flight. Each has a label; the
/// packet numbers of a label never start again, so a label can be given to another path once all are in use. One owner.
/// </summary>
internal sealed class DataPaths(TunnelConnectionOptions options, LossRecoveryContext context)
{
    /// <summary>Labels are below this number; 0 is for probes.</summary>
    // spec: CONST-26
    public const int MaxLabels = 32;

    private readonly DataPath?[] _byLabel = new DataPath?[MaxLabels];
    private readonly List<DataPath> _paths = [];
    private byte _nextLabel = 1;
    private long _lostBefore;
    private long _spuriousBefore;

    /// <summary>The path for data now.</summary>
    public DataPath? Primary { get; private set; }

    /// <summary>Packets declared lost on all paths, also on those whose labels were given to others.</summary>
    public long LostCount
    {
        get
        {
            long count = _lostBefore;
            foreach (DataPath path in _paths)
                count += path.Recovery.LostCount;
            return count;
        }
    }

    /// <summary>Packets declared lost on all paths and acknowledged later.</summary>
    public long SpuriousCount
    {
        get
        {
            long count = _spuriousBefore;
            foreach (DataPath path in _paths)
                count += path.Recovery.SpuriousCount;
            return count;
        }
    }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant? NextTimeout
    {
        get
        {
            Instant? next = null;
            foreach (DataPath path in _paths)
            {
                if (path.Recovery.NextTimeout is { } due && !(next <= due))
                    next = due;
            }

            return next;
        }
    }

    /// <summary>The path with this label, if it was ever used.</summary>
    public DataPath? Find(byte label) => label < MaxLabels ? _byLabel[label] : null;

    /// <summary>Data goes over this pair from now on.</summary>
    public void MoveTo(Instant now, CandidatePair? pair)
    {
        if (pair is not null && pair != Primary?.Pair)
            MovePrimary(now, pair);
        else if (Primary is { Recovery.RoundTrip.HasSample: false, Pair.RoundTrip.HasSample: true })
            LearnRoundTrip(now, Primary);
        Primary?.FollowSize(now);
    }

    /// <summary>
    /// Does what loss recovery has due on each path. A path that is not primary is not asked again: what it had in flight
    /// goes to the primary one.
    /// </summary>
    // spec: REC-22
    public void HandleTimeout(Instant now)
    {
        foreach (DataPath path in _paths)
        {
            path.Recovery.HandleTimeout(now);
            if (path != Primary && path.Recovery.ProbesOwed > 0)
                path.Recovery.Abandon();
        }
    }

    private void MovePrimary(Instant now, CandidatePair pair)
    {
        DataPath? previous = Primary;
        Primary = _paths.Find(path => path.Pair == pair);
        if (Primary is not null && pair.RoundTrip.HasSample)
            LearnRoundTrip(now, Primary); // What its data measured, when it had any, may be long ago.
        Primary ??= Add(now, pair, previous);
        if (previous is not null && (!previous.Pair.IsUsable || previous.Pair.IsSameRouteAs(pair)))
            previous.Recovery.Abandon();
    }

    private DataPath Add(Instant now, CandidatePair pair, DataPath? previous)
    {
        byte label = TakeLabel(previous, out ulong firstNumber);
        bool inherits = previous is not null && previous.Pair.IsSameRouteAs(pair);
        int datagramSize = options.Paths.BaseDatagramSize;
        LossRecovery recovery = new(context, firstNumber)
        {
            RoundTrip = inherits ? previous!.Recovery.RoundTrip : NewRoundTrip(now, pair),
            Delivery = inherits ? previous!.Recovery.Delivery : new(),
            Congestion = inherits ? previous!.Recovery.Congestion : NewController(pair, datagramSize),
        };
        DataPath path = new(label, pair, recovery, new Pacer(datagramSize), options.Recovery.MaxRate);
        pair.DataRoundTrip = recovery.RoundTrip;
        _byLabel[label] = path;
        _paths.Add(path);
        return path;
    }

    // spec: REC-33
    private ICongestionController NewController(CandidatePair pair, int datagramSize)
    {
        CongestionControl chosen = pair.Kind == PathKind.Direct ? options.Recovery.DirectPaths : options.Recovery.RelayedPaths;
        if (chosen == CongestionControl.Cubic)
            return new CubicController(datagramSize);
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        options.Entropy.Fill(seed);
        return new BbrController(datagramSize, BinaryPrimitives.ReadUInt64LittleEndian(seed));
    }

    private static RoundTripEstimator NewRoundTrip(Instant now, CandidatePair pair)
    {
        RoundTripEstimator estimator = new(pair.RoundTrip.Smoothed);
        if (pair.RoundTrip.HasSample)
            estimator.Add(now, pair.RoundTrip.Smoothed, TimeSpan.Zero);
        return estimator;
    }

    // A path that carries nothing, or not yet, has the round trip that its probes measured.
    // spec: REC-01, REC-02
    private static void LearnRoundTrip(Instant now, DataPath path) => path.Recovery.LearnRoundTrip(now, path.Pair.RoundTrip.Latest);

    // spec: PKT-04
    private byte TakeLabel(DataPath? primary, out ulong firstNumber)
    {
        firstNumber = 0;
        if (_nextLabel < MaxLabels)
            return _nextLabel++;
        DataPath oldest = _paths.First(path => path != primary);
        oldest.Recovery.Abandon();
        _paths.Remove(oldest);
        _lostBefore += oldest.Recovery.LostCount;
        _spuriousBefore += oldest.Recovery.SpuriousCount;
        firstNumber = oldest.Recovery.NextPacketNumber;
        return oldest.Label;
    }
}
