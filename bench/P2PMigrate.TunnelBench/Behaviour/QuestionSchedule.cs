using System.Diagnostics;
using System.IO.Pipelines;
using P2PMigrate.Tunnel;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>
/// Asks on one stream at fixed times, whether or not earlier questions were answered, and counts each answer from the time
/// when its question was due: whatever keeps questions waiting for a while, the asking thread's own lateness included, is
/// counted for every question that falls into it. Used once.
/// </summary>
internal sealed class QuestionSchedule(ITunnelStream stream, int bytes)
{
    /// <summary>No multiple of anything else that repeats here.</summary>
    private const double IntervalMilliseconds = 17.3;

    private static readonly TimeSpan s_lastStretch = TimeSpan.FromMilliseconds(1);

    private readonly byte[] _question = new byte[bytes];

    /// <summary>Asks until <paramref name="time"/> has passed since <paramref name="start"/>; the times, in ms, of what was due after <paramref name="skip"/>.</summary>
    public async Task<double[]> RunAsync(long start, TimeSpan time, TimeSpan skip)
    {
        TimeSpan[] due = [.. Times(Stopwatch.GetElapsedTime(start), time)];
        var asking = new Thread(() => Ask(start, due)) { IsBackground = true, Name = "questions" };
        asking.Start();
        var times = new List<double>();
        foreach (TimeSpan asked in due)
        {
            ReadResult answer = await stream.Input.ReadAtLeastAsync(bytes);
            stream.Input.AdvanceTo(answer.Buffer.GetPosition(bytes));
            if (asked > skip)
                times.Add((Stopwatch.GetElapsedTime(start) - asked).TotalMilliseconds);
        }

        asking.Join();
        return [.. times];
    }

    private static IEnumerable<TimeSpan> Times(TimeSpan first, TimeSpan end)
    {
        for (TimeSpan due = first; due < end; due += TimeSpan.FromMilliseconds(IntervalMilliseconds))
            yield return due;
    }

    private void Ask(long start, TimeSpan[] due)
    {
        foreach (TimeSpan at in due)
        {
            WaitUntil(start, at);
            ValueTask<FlushResult> flush = stream.Output.WriteAsync(_question);
            if (!flush.IsCompleted)
                flush.AsTask().Wait();
        }
    }

    // Sleeping is exact to a millisecond only.
    private static void WaitUntil(long start, TimeSpan at)
    {
        while (at - Stopwatch.GetElapsedTime(start) is var rest && rest > TimeSpan.Zero)
        {
            if (rest > s_lastStretch)
                Thread.Sleep((int)rest.TotalMilliseconds);
            else
                Thread.Yield();
        }
    }
}
