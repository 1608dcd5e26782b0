using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Connection;

/// <summary>What arrived, label by label; a label's space is made with its first authentic packet. One owner.</summary>
internal sealed class ReceiveSpaces
{
    private const int ManyRanges = 8;

    private readonly ReceiveSpace?[] _byLabel = new ReceiveSpace?[DataPaths.MaxLabels];
    private readonly List<ReceiveSpace> _spaces = [];

    /// <summary>When the first acknowledgement is due.</summary>
    public Instant? AckDeadline
    {
        get
        {
            Instant? next = null;
            foreach (ReceiveSpace space in CollectionsMarshal.AsSpan(_spaces))
            {
                if (space.AckDeadline is { } due && !(next <= due))
                    next = due;
            }

            return next;
        }
    }

    /// <summary>Are so many ranges remembered that the peer should soon tell which of them it knows of?</summary>
    public bool AreManyRangesKept
    {
        get
        {
            foreach (ReceiveSpace space in CollectionsMarshal.AsSpan(_spaces))
            {
                if (space.RangesKept > ManyRanges)
                    return true;
            }

            return false;
        }
    }

    /// <summary>The space of a label, if there is one.</summary>
    public ReceiveSpace? Find(byte label) => label < DataPaths.MaxLabels ? _byLabel[label] : null;

    /// <summary>The space of a label, made if there is none.</summary>
    public ReceiveSpace Get(byte label)
    {
        if (_byLabel[label] is { } known)
            return known;
        ReceiveSpace space = new(label);
        _byLabel[label] = space;
        _spaces.Add(space);
        return space;
    }

    /// <summary>Writes the acknowledgements that are wanted, soon or at once.</summary>
    public void WriteAcks(Instant now, ref PacketWriter packet)
    {
        foreach (ReceiveSpace space in CollectionsMarshal.AsSpan(_spaces))
        {
            if (space.AckDeadline is not null && space.TryWriteAck(now, ref packet.Frames, out ulong largest))
                packet.Record(new(SentFrameKind.Ack, space.Label, largest));
        }
    }
}
