namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Tells when a container that runs before its memory has come has got what it works with. It touches that page by page, each when the one before has come; behind a stream that takes the whole link, and the processors that handle it, each
/// would take several times as long.
/// </summary>
// spec: MIG-107
internal sealed class AskingLull(TimeProvider time)
{
    // spec: CONST-384
    private static readonly TimeSpan s_calm = TimeSpan.FromMilliseconds(50), s_patience = TimeSpan.FromSeconds(1);

    private long _asked;

    /// <summary>Something was asked for. From any thread.</summary>
    public void Interrupt() => Interlocked.Exchange(ref _asked, time.GetTimestamp());

    /// <summary>Waits until nothing has been asked for a while, or that has taken too long.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        for (TimeSpan left = s_calm; left > TimeSpan.Zero && time.GetElapsedTime(begun) < s_patience; left = s_calm - time.GetElapsedTime(Interlocked.Read(ref _asked)))
            await Task.Delay(left, time, cancellationToken).ConfigureAwait(false);
    }
}
