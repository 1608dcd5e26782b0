using Microsoft.Extensions.Logging;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Lets go of what a runtime gave us when a job has ended. By then the outcome stands, so a failure is only worth a line in the log.</summary>
internal static class QuietDisposal
{
    /// <summary>Disposes of <paramref name="disposable"/>, if there is one.</summary>
    public static async ValueTask OfAsync(IAsyncDisposable? disposable, ILogger logger)
    {
        if (disposable is null)
            return;
        try
        {
            await disposable.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.DisposalFailed(logger, exception);
        }
    }
}
