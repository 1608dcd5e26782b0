using System.Diagnostics;

namespace P2PMigrate.Demo;

/// <summary>
/// What the counter client saw: the longest gap between two replies (the downtime as clients feel it), the value before and after it,
/// and whether the counter ever stood still or went back.
/// </summary>
internal sealed record CounterReport(int Replies, TimeSpan LongestGap, long Before, long After, bool CrossedOver, bool OnlyForward)
{
    public static CounterReport Of(IReadOnlyList<CounterClient.Reply> replies)
    {
        int worst = 1;
        bool onlyForward = replies.Count > 1;
        for (int i = 1; i < replies.Count; i++)
        {
            if (replies[i].Timestamp - replies[i - 1].Timestamp > replies[worst].Timestamp - replies[worst - 1].Timestamp)
                worst = i;
            onlyForward &= replies[i].Value > replies[i - 1].Value;
        }
        return replies.Count < 2
            ? new CounterReport(replies.Count, TimeSpan.MaxValue, 0, 0, false, false)
            : new CounterReport(
                replies.Count, Stopwatch.GetElapsedTime(replies[worst - 1].Timestamp, replies[worst].Timestamp),
                replies[worst - 1].Value, replies[worst].Value, replies[0].Door == 0 && replies[^1].Door == 1, onlyForward);
    }
}
