namespace P2PMigrate.Protocol.Nat;

/// <summary>A new mapping: the inside port that asked for it, and the outside port that it got.</summary>
internal readonly record struct PortSample(ushort Inside, ushort Outside);

/// <summary>How a NAT chooses ports, as far as samples tell. Step and range are those of <see cref="NatProfile"/>.</summary>
internal readonly record struct AllocationVerdict(PortAllocation Allocation, short Step = 0, ushort LowestPort = 0, ushort HighestPort = 0)
{
    /// <summary>Samples that a verdict other than <see cref="PortAllocation.Preserving"/> takes.</summary>
    // spec: CONST-222
    public const int FewestSamples = 4;

    // Of two ports in a row, and of n random ones that lie in a range by chance in one case of ten thousand.
    private const int LongestStep = 64;
    private const int LongestOddGap = 16;
    private const int WidestBlock = 4096;
    private const int WidestBlockOfFew = 1024;
    private const int ManySamples = 6;

    /// <summary>
    /// The verdict on samples in the order in which they were asked for. <paramref name="older"/> is the outside port of a mapping from before: no
    /// part of the sequence, but of the block if there is one.
    /// </summary>
    // spec: PATH-63
    public static AllocationVerdict Of(IReadOnlyList<PortSample> samples, ushort older)
    {
        int preserved = samples.Count(sample => sample.Inside == sample.Outside);
        if (samples.Count >= 2 && 4 * preserved >= 3 * samples.Count)
            return new(PortAllocation.Preserving);
        if (samples.Count < FewestSamples)
            return default;
        int[] ports = [.. samples.Select(sample => (int)sample.Outside)];
        return SequenceOf(ports) ?? BlockOf([.. ports, older]) ?? new(PortAllocation.Random);
    }

    // Others use the same NAT, and datagrams overtake each other: most pairs have to be in order, and most gaps small, not all.
    private static AllocationVerdict? SequenceOf(int[] ports)
    {
        int up = 0, down = 0;
        for (int i = 0; i < ports.Length; i++)
        {
            for (int j = i + 1; j < ports.Length; j++)
            {
                up += ports[j] > ports[i] ? 1 : 0;
                down += ports[j] < ports[i] ? 1 : 0;
            }
        }

        int[] sorted = [.. ports.Distinct().Order()];
        int[] gaps = [.. sorted.Zip(sorted.Skip(1), (left, right) => right - left).Order()];
        bool isOrdered = 5 * Math.Max(up, down) >= 4 * (up + down);
        if (!isOrdered || gaps.Length == 0 || gaps[gaps.Length / 2] > LongestStep || gaps[^1] > WidestBlockOfFew)
            return null;
        IGrouping<int, int> usual = gaps.GroupBy(gap => gap).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First();
        if (2 * usual.Count() < gaps.Length && gaps[^1] > LongestOddGap)
            return null; // Ports of a small block come in order by chance, too; but not at equal distances.
        return new(PortAllocation.Sequential, (short)(up >= down ? usual.Key : -usual.Key));
    }

    private static AllocationVerdict? BlockOf(int[] ports)
    {
        int lowest = ports.Min(), highest = ports.Max(), width = highest - lowest + 1;
        if (width > (ports.Length >= ManySamples ? WidestBlock : WidestBlockOfFew))
            return null;
        // The block goes on beyond the samples by about as much as lies between two of them; twice that, to be safe.
        int margin = 2 * ((width + ports.Length - 2) / (ports.Length - 1));
        (int low, int high) = (Math.Max(1, lowest - margin), Math.Min(ushort.MaxValue, highest + margin));
        // Most providers' blocks are powers of two at multiples of themselves. Too large a guess costs less than one that is too small.
        for (int size = WidestBlock; size >= 64; size /= 2)
        {
            int start = lowest & -size;
            if (size <= high - low + 1 && highest < start + size)
                return new(PortAllocation.Block, 0, (ushort)Math.Max(1, start), (ushort)(start + size - 1));
        }

        return new(PortAllocation.Block, 0, (ushort)low, (ushort)high);
    }
}
