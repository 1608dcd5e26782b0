using System.Diagnostics;
using System.Text.Json;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>When how many bytes came, to the millisecond. The filling side is one thread at a time; the reading side has it from JSON.</summary>
internal sealed class ArrivalLog
{
    private readonly List<long[]> _entries = [];

    public static long Now => (long)(Stopwatch.GetTimestamp() * (1000.0 / Stopwatch.Frequency));

    public void Note(long bytes)
    {
        long now = Now;
        if (bytes == 0)
            return;
        if (_entries.Count > 0 && _entries[^1][0] == now)
            _entries[^1][1] += bytes;
        else
            _entries.Add([now, bytes]);
    }

    public string ToJson() => JsonSerializer.Serialize(_entries);

    public static ArrivalLog Parse(string json)
    {
        var log = new ArrivalLog();
        log._entries.AddRange(JsonSerializer.Deserialize<List<long[]>>(json)!);
        return log;
    }

    /// <summary>The longest time without a byte that ends between two moments, in ms; endless when nothing came after <paramref name="to"/>.</summary>
    public double LongestGap(long from, long to)
    {
        long[] times = [.. _entries.Select(entry => entry[0])];
        if (times.Length == 0 || times[^1] < to)
            return double.PositiveInfinity;
        return times.Zip(times.Skip(1)).Where(pair => pair.Second >= from && pair.First <= to).Select(pair => (double)pair.Second - pair.First).DefaultIfEmpty(0).Max();
    }

    /// <summary>Bytes a second between two moments.</summary>
    public double Rate(long from, long to) =>
        _entries.Where(entry => entry[0] >= from && entry[0] < to).Sum(entry => entry[1]) * 1000.0 / (to - from);

    /// <summary>How long after <paramref name="from"/> a stretch of 100 ms begins in which at least <paramref name="rate"/> was carried; endless if none does.</summary>
    public double RecoveredAfter(long from, long until, double rate)
    {
        for (long at = from; at < until; at += 10)
        {
            if (Rate(at, at + 100) >= rate)
                return at - from;
        }

        return double.PositiveInfinity;
    }
}
