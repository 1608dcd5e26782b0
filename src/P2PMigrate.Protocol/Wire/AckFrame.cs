using System.Diagnostics;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Acknowledges packets that arrived under one of the peer's labels. Fields: label (one byte), largest packet number,
/// delay in microseconds, number of further ranges, then the ranges from the largest down as in QUIC: the first range's
/// length minus one; for each further range the count of missing numbers minus one and its length minus one.
/// A successful parse has checked every range, so the enumerator cannot fail.
/// </summary>
public readonly ref struct AckFrame
{
    /// <summary>Most ranges in one frame; more are refused.</summary>
    // spec: CONST-20
    public const int MaxRanges = 32;

    private readonly ReadOnlySpan<byte> _ranges;
    private readonly int _rangeCount;

    private AckFrame(byte label, ulong largest, TimeSpan delay, int rangeCount, ReadOnlySpan<byte> ranges)
    {
        Label = label;
        Largest = largest;
        Delay = delay;
        _rangeCount = rangeCount;
        _ranges = ranges;
    }

    /// <summary>The label that the receiver of this frame put on the packets.</summary>
    public byte Label { get; }

    /// <summary>The largest packet number acknowledged.</summary>
    public ulong Largest { get; }

    /// <summary>How long the peer kept the largest before it sent this.</summary>
    public TimeSpan Delay { get; }

    /// <summary>Reads what follows the type byte and checks every range.</summary>
    // spec: PKT-14
    public static bool TryParse(ref WireReader reader, out AckFrame frame)
    {
        frame = default;
        if (!reader.TryReadByte(out byte label) || !reader.TryReadVarInt(out ulong largest))
            return false;
        if (!reader.TryReadVarInt(out ulong delay) || !reader.TryReadVarInt(out ulong further) || further >= MaxRanges)
            return false;

        WireReader start = reader;
        if (!TrySkipRanges(ref reader, largest, (int)further))
            return false;
        start.TryReadBytes(start.Remaining - reader.Remaining, out ReadOnlySpan<byte> ranges);
        long delayTicks = (long)Math.Min(delay, uint.MaxValue) * TimeSpan.TicksPerMicrosecond;
        frame = new(label, largest, new TimeSpan(delayTicks), (int)further + 1, ranges);
        return true;
    }

    /// <summary>
    /// Writes a frame for <paramref name="ranges"/>, which stand largest first, do not touch and are not empty. Leaves
    /// out the smallest ones when the space or the limit does not allow them; returns false when not even one fits.
    /// </summary>
    public static bool TryWrite(ref WireWriter writer, byte label, TimeSpan delay, scoped ReadOnlySpan<PacketRange> ranges)
    {
        const int Fixed = 2 + VarInt.MaxLength + 4 + 1 + VarInt.MaxLength;
        if (ranges.IsEmpty || writer.Remaining < Fixed)
            return false;
        int count = Math.Min(ranges.Length, Math.Min(MaxRanges, 1 + (writer.Remaining - Fixed) / (2 * VarInt.MaxLength)));

        writer.WriteByte((byte)FrameType.Ack);
        writer.WriteByte(label);
        writer.WriteVarInt(ranges[0].Last);
        writer.WriteVarInt((ulong)Math.Clamp(delay.Ticks / TimeSpan.TicksPerMicrosecond, 0, (1 << 30) - 1));
        writer.WriteVarInt((ulong)(count - 1));
        writer.WriteVarInt(ranges[0].Last - ranges[0].First);
        for (int i = 1; i < count; i++)
        {
            Debug.Assert(ranges[i].Last + 1 < ranges[i - 1].First, "Ack ranges stand largest first and do not touch.");
            writer.WriteVarInt(ranges[i - 1].First - ranges[i].Last - 2);
            writer.WriteVarInt(ranges[i].Last - ranges[i].First);
        }

        return true;
    }

    /// <summary>The ranges, largest first.</summary>
    public Enumerator GetEnumerator() => new(this);

    private static bool TrySkipRanges(ref WireReader reader, ulong largest, int further)
    {
        if (!reader.TryReadVarInt(out ulong length) || length > largest)
            return false;
        ulong first = largest - length;
        for (; further > 0; further--)
        {
            if (!reader.TryReadVarInt(out ulong gap) || !reader.TryReadVarInt(out length) || gap + length + 2 > first)
                return false;
            first -= gap + length + 2;
        }

        return true;
    }

    /// <summary>Walks the ranges of a parsed frame.</summary>
    public ref struct Enumerator
    {
        private WireReader _reader;
        private ulong _nextLargest;
        private int _left;
        private bool _isFirst;

        internal Enumerator(AckFrame frame)
        {
            _reader = new WireReader(frame._ranges);
            _nextLargest = frame.Largest;
            _left = frame._rangeCount;
            _isFirst = true;
        }

        /// <summary>The range at which the enumerator stands.</summary>
        public PacketRange Current { get; private set; }

        /// <summary>Moves to the next smaller range.</summary>
        public bool MoveNext()
        {
            if (_left-- <= 0)
                return false;
            ulong gap = 0;
            if (!_isFirst)
                _reader.TryReadVarInt(out gap);
            _reader.TryReadVarInt(out ulong length);
            ulong last = _isFirst ? _nextLargest : _nextLargest - gap - 2;
            _isFirst = false;
            Current = new(last - length, last);
            _nextLargest = Current.First;
            return true;
        }
    }
}

/// <summary>Packet numbers from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct PacketRange(ulong First, ulong Last);
