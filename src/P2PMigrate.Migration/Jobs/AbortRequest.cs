namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// The wish that a job of another process be aborted: an empty file in the job's own directory, which goes when the job does. A signal would end whatever else that
/// process does.
/// </summary>
// spec: MIG-131
internal static class AbortRequest
{
    /// <summary>Leaves the request. Does nothing while the job has no directory yet, or no more.</summary>
    public static void TryMake(StateDirectory state, JobId job)
    {
        try
        {
            File.WriteAllBytes(PathOf(state, job), []);
        }
        catch (DirectoryNotFoundException)
        {
            // The caller looks again.
        }
    }

    /// <summary>Was it asked for?</summary>
    public static bool IsMade(StateDirectory state, JobId job) => File.Exists(PathOf(state, job));

    private static string PathOf(StateDirectory state, JobId job) => Path.Combine(state.Job(job), "abort");
}

/// <summary>Looks for an <see cref="AbortRequest"/> as long as a job lives.</summary>
internal sealed class AbortWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly Task _watching;

    private AbortWatch(MigrationEnvironment environment, Func<JobId?> job, Action requested) => _watching = WatchAsync(environment, job, requested);

    /// <summary>Looks from now on. <paramref name="job"/> is null while none is known; <paramref name="requested"/> is called once at most, on any thread.</summary>
    public static AbortWatch Start(MigrationEnvironment environment, Func<JobId?> job, Action requested) => new(environment, job, requested);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _over.Dispose();
    }

    private async Task WatchAsync(MigrationEnvironment environment, Func<JobId?> job, Action requested)
    {
        using var timer = new PeriodicTimer(environment.Timers.AbortLook, environment.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false))
            {
                if (job() is not { } known || !AbortRequest.IsMade(environment.State, known))
                    continue;
                requested();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The job has ended.
        }
    }
}
