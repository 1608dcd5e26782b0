using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Connection;

/// <summary>A path with a label: what is needed to send data on it. Owned by <see cref="DataPaths"/>.</summary>
internal sealed class DataPath(byte label, CandidatePair pair, LossRecovery recovery, Pacer pacer, double? maxRate = null)
{
    // IPv6 and UDP; what IPv4 saves is left unused.
    private const double PacketHeaders = 48;

    // A packet is full although the last frame did not fit to the byte.
    private const int FullMargin = 64;

    /// <summary>What its packets are labelled with.</summary>
    public byte Label => label;

    /// <summary>The addresses.</summary>
    public CandidatePair Pair => pair;

    /// <summary>What became of its packets.</summary>
    public LossRecovery Recovery => recovery;

    /// <summary>When the next one may leave.</summary>
    public Pacer Pacer => pacer;

    /// <summary>The longest datagram of data; all but the last of a burst have this size.</summary>
    public int DatagramSize { get; private set; }

    /// <summary>Has the window room for a full datagram?</summary>
    // A window that shrank among short datagrams may be smaller than one of the long ones that turned out to pass.
    // spec: REC-34
    public bool IsWindowOpen =>
        (Recovery.BytesInFlight == 0 || Recovery.BytesInFlight + DatagramSize <= Recovery.Congestion.Window) && Recovery.HasRoom;

    /// <summary>How fast data may leave.</summary>
    public Pace Pace
    {
        get
        {
            Pace wanted = new(Recovery.Congestion.PacingRate(Recovery.RoundTrip.Smoothed), Recovery.Congestion.SendQuantum);
            return maxRate is { } most ? Limit(wanted, most * DatagramSize / (DatagramSize + PacketHeaders)) : wanted;
        }
    }

    /// <summary>May a datagram of this size go there at all?</summary>
    public bool Allows(int size) => Pair.IsProven || Pair.Allows(size);

    /// <summary>Takes over what the pair has found out about sizes. What is in flight and too long now is sent again at once.</summary>
    // spec: PATH-44, PATH-45
    public void FollowSize(Instant now)
    {
        int size = Pair.Sizes.Proven;
        if (size == DatagramSize)
            return;
        if (size < DatagramSize)
            Recovery.AbandonLonger(now, size);
        DatagramSize = Recovery.Congestion.DatagramSize = size;
        Recovery.Sizes.ShortSize = size > Pair.MinSize ? size - FullMargin : int.MaxValue;
        Recovery.Sizes.Reset();
    }

    // spec: MIG-122
    private Pace Limit(Pace wanted, double most) => wanted.BytesPerSecond <= most
        ? wanted : new(most, Math.Min(wanted.Quantum, PacingQuantum.For(most, DatagramSize)));
}
