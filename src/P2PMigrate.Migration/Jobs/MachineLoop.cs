using System.Threading.Channels;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// The one owner of a machine: takes events from any thread, hands them to the machine one by one, drains it after each, and calls it
/// when its deadline has come. Whoever posts something of the peer's making waits until it was handled, so the queue stays short.
/// </summary>
internal sealed class MachineLoop(TimeProvider time)
{
    private readonly Channel<Action<Instant>> _events = Channel.CreateUnbounded<Action<Instant>>(new() { SingleReader = true });
    private readonly long _origin = time.GetTimestamp();

    /// <summary>The time since the loop was made, as the machine sees it.</summary>
    public Instant Now => default(Instant) + time.GetElapsedTime(_origin);

    /// <summary>An event of our own making.</summary>
    public void Post(Action<Instant> handle) => _events.Writer.TryWrite(handle);

    /// <summary>An event of the peer's making; returns when it was handled.</summary>
    public Task PostAndWaitAsync(Action<Instant> handle, CancellationToken cancellationToken)
    {
        var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(now =>
        {
            handle(now);
            handled.SetResult();
        });
        return handled.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Runs until <paramref name="drain"/>, called after every input, says that the machine has ended.</summary>
    public async Task RunAsync(Func<Instant> nextTimeout, Action<Instant> handleTimeout, Func<bool> drain)
    {
        bool isOver = drain();
        while (!isOver)
        {
            await WaitAsync(nextTimeout()).ConfigureAwait(false);
            while (!isOver && _events.Reader.TryRead(out Action<Instant>? handle))
            {
                handle(Now);
                isOver = drain();
            }

            if (isOver || Now < nextTimeout())
                continue;
            handleTimeout(Now);
            isOver = drain();
        }
    }

    private async Task WaitAsync(Instant deadline)
    {
        if (deadline == Instant.Never)
        {
            await _events.Reader.WaitToReadAsync().ConfigureAwait(false);
            return;
        }

        TimeSpan left = deadline - Now;
        if (left <= TimeSpan.Zero)
            return;
        using var alarm = new CancellationTokenSource(left, time);
        try
        {
            await _events.Reader.WaitToReadAsync(alarm.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The deadline; the caller looks at the clock.
        }
    }
}
