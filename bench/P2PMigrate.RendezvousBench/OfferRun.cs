using System.Diagnostics;

namespace P2PMigrate.RendezvousBench;

/// <summary>Offers at one rate, whether or not earlier ones arrived, and when each was delivered and answered.</summary>
internal sealed class OfferRun
{
    private readonly List<long> _begun = [];
    private readonly List<long> _delivered = [];
    private readonly List<long> _answered = [];
    private int _failed;

    /// <summary>Offers begun.</summary>
    public int Count => _begun.Count;

    /// <summary>Offers that came to their end, good or bad.</summary>
    public int Ended => _answered.Count(at => at != 0) + _failed;

    public int Begin(long at)
    {
        _begun.Add(at);
        _delivered.Add(0);
        _answered.Add(0);
        return _begun.Count - 1;
    }

    /// <summary>The responder has the offer; a repetition does not count.</summary>
    public void Delivered(int offer, long at) => Note(_delivered, offer, at);

    /// <summary>The initiator has the answer.</summary>
    public void Answered(int offer, long at) => Note(_answered, offer, at);

    /// <summary>An offer was refused or given up.</summary>
    public void Fail() => _failed++;

    public OfferFigures Sum(int rate, double cpuSeconds) => new(
        rate, Count, _delivered.Count(at => at != 0), _answered.Count(at => at != 0),
        Percentile(_delivered, 50), Percentile(_delivered, 99), Percentile(_answered, 50), Percentile(_answered, 99), cpuSeconds * 1e6 / Math.Max(1, Count));

    private static void Note(List<long> times, int offer, long at)
    {
        if ((uint)offer < (uint)times.Count && times[offer] == 0)
            times[offer] = at;
    }

    private double Percentile(List<long> times, int percent)
    {
        double[] taken = [.. times.Select((at, index) => (at, index)).Where(pair => pair.at != 0)
            .Select(pair => Stopwatch.GetElapsedTime(_begun[pair.index], pair.at).TotalMilliseconds).Order()];
        return taken.Length == 0 ? double.NaN : taken[Math.Min(taken.Length - 1, taken.Length * percent / 100)];
    }
}

/// <summary>What came of it. Times in milliseconds from the moment when the offer was begun.</summary>
public sealed record OfferFigures(
    int PerSecond, int Begun, int Delivered, int Answered,
    double DeliveredMedian, double DeliveredP99, double AnsweredMedian, double AnsweredP99, double ServerCpuMicrosecondsPerOffer);
