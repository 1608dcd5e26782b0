using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>Beside whatever else a program does that can be met: ends the jobs of containers that run here as soon as their memory has come from their sources, and shows that.</summary>
// spec: MIG-105
internal sealed class LateWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _waiting;

    private LateWatch(MigrationEnvironment environment, IEnumerable<JobId> jobs, IOutput output) =>
        _waiting = Task.WhenAll(jobs.Select(job => EndAsync(new JobRecovery(environment), job, output)));

    /// <summary>Begins at once with those of the jobs that wait.</summary>
    public static LateWatch Start(MigrationEnvironment environment, IEnumerable<RecoveredJob> jobs, IOutput output) =>
        new(environment, [.. jobs.Where(job => job.Action == RecoveryAction.Awaits).Select(job => job.JobId)], output);

    /// <summary>Stops; the jobs stay as they are.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _waiting.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>What fails is tried again, and said once.</summary>
    private async Task EndAsync(JobRecovery recovery, JobId job, IOutput output)
    {
        string? said = null;
        try
        {
            for (RecoveredJob? ended = null; ended is null or { Action: RecoveryAction.Failed };)
            {
                if (ended is not null)
                    await Task.Delay(DoubtInquiry.Interval, _stop.Token).ConfigureAwait(false);
                ended = await recovery.ResumeAsync(job, _stop.Token).ConfigureAwait(false);
                if (ended.Message != said)
                    output.Show(JobView.Of(ended));
                said = ended.Message;
            }
        }
        catch (Exception over) when (over is OperationCanceledException or MigrationException or IOException or UnauthorizedAccessException)
        {
            // this program ends, or another one has ended the job, or its journal cannot be read
        }
    }
}
