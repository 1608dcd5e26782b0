using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What arrived under one of the peer's labels: which packet numbers were seen, and when they have to be acknowledged.
/// One owner.
/// </summary>
internal sealed class ReceiveSpace(byte label)
{
    private readonly PacketNumberSet _numbers = new();
    private readonly AckFrequency _frequency = new();
    private Instant _largestReceivedAt;
    private int _unacknowledged;

    /// <summary>The peer's label.</summary>
    public byte Label => label;

    /// <summary>Numbers that may not come again.</summary>
    public ReplayWindow Replay { get; } = new();

    /// <summary>When an acknowledgement is due; null when none is.</summary>
    public Instant? AckDeadline { get; private set; }

    /// <summary>Ranges of numbers that the peer may not know to have arrived.</summary>
    public int RangesKept => _numbers.Ranges.Length;

    /// <summary>The largest packet number that was accepted, or -1.</summary>
    public long Largest { get; private set; } = -1;

    /// <summary>Takes a packet that opened; false when its number was seen before or is too old to tell.</summary>
    public bool TryAccept(Instant now, ulong number, out bool isInOrder)
    {
        isInOrder = (long)number == Largest + 1;
        if (!Replay.TryAccept(number))
            return false;
        _numbers.Add(number);
        if ((long)number > Largest)
        {
            Largest = (long)number;
            _largestReceivedAt = now;
        }

        return true;
    }

    /// <summary>
    /// The packet just accepted asks for an acknowledgement: at once when it came out of order or enough others wait for
    /// one, else within <paramref name="maxDelay"/> at most.
    /// </summary>
    // spec: REC-13
    public void HandleAckEliciting(Instant now, bool isInOrder, TimeSpan maxDelay, RoundTripEstimator? roundTrip)
    {
        _unacknowledged++;
        _frequency.HandleReceived(now, roundTrip);
        Instant deadline = !isInOrder || _unacknowledged >= _frequency.Packets ? now : now + _frequency.Delay(maxDelay, roundTrip);
        AckDeadline = Instant.Min(AckDeadline ?? deadline, deadline);
    }

    /// <summary>Writes an acknowledgement of everything; false when there is no room or nothing to acknowledge.</summary>
    public bool TryWriteAck(Instant now, ref WireWriter writer, out ulong largest)
    {
        largest = 0;
        if (_numbers.Ranges.IsEmpty)
        {
            // Everything that was owed has been acknowledged meanwhile: nothing is due any more.
            AckDeadline = null;
            _unacknowledged = 0;
            return false;
        }

        largest = _numbers.Ranges[0].Last;
        if (!AckFrame.TryWrite(ref writer, label, now - _largestReceivedAt, _numbers.Ranges))
            return false;
        AckDeadline = null;
        _unacknowledged = 0;
        return true;
    }

    /// <summary>The peer got an acknowledgement that named <paramref name="largest"/>: older numbers need not be repeated.</summary>
    // spec: REC-14
    public void HandleAckAcked(ulong largest) => _numbers.RemoveUpTo(largest);
}
