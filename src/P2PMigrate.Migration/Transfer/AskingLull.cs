namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Tells a source when a container that runs at the target before its memory has come has got the pages it works with: it has not asked for a while. It touches them one after the other, each when the one before has come, and
/// behind a bulk stream, which takes the whole link and the processors of both sides, each would take several times as long.
/// </summary>
/// <param name="time">Its time.</param>
/// <param name="timers">How long is a while, and how long too long.</param>
/// <param name="roundTrip">What a question and its answer take at present on the way alone.</param>
// spec: MIG-107
internal sealed class AskingLull(TimeProvider time, MigrationTimers timers, Func<TimeSpan> roundTrip)
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1); // a shorter delay is none

    private long _asked;

    private TimeSpan Calm => timers.AskingCalm + (2 * roundTrip());

    /// <summary>A question has come, or its answer has gone. From any thread.</summary>
    public void NoteQuestion() => Interlocked.Exchange(ref _asked, time.GetTimestamp());

    /// <summary>Waits until nobody has asked for a while, from now on, or that takes too long.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        NoteQuestion();
        long begun = time.GetTimestamp();
        while (true)
        {
            TimeSpan toCalm = Calm - time.GetElapsedTime(Interlocked.Read(ref _asked));
            TimeSpan toEnd = timers.AskingPatience - time.GetElapsedTime(begun);
            TimeSpan left = toCalm < toEnd ? toCalm : toEnd;
            if (left <= TimeSpan.Zero)
                return;
            await Task.Delay(left < s_tick ? s_tick : left, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
