using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary>Beside whatever else a program does: asks for the end of every job that is in doubt here, again and again, and shows what that ended.</summary>
// spec: MIG-194
internal sealed class DoubtWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly DoubtInquiry _inquiry;
    private readonly TargetsWord _word;
    private readonly IOutput _output;
    private readonly Dictionary<JobId, Task> _asking = [];  // of the task that watches alone
    private Task _watching = Task.CompletedTask;

    private DoubtWatch(MigrationEnvironment environment, TunnelEndpoint endpoint, IOutput output) =>
        (_inquiry, _word, _output) = (new DoubtInquiry(environment), new TargetsWord(environment, endpoint), output);

    /// <summary>Begins at once.</summary>
    public static DoubtWatch Start(MigrationEnvironment environment, TunnelEndpoint endpoint, IOutput output)
    {
        var watch = new DoubtWatch(environment, endpoint, output);
        watch._watching = watch.RunAsync(watch._stop.Token);
        return watch;
    }

    /// <summary>Stops; what has begun to be done about a job is done first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(DoubtInquiry.Interval);
        try
        {
            do
                await AskAllAsync(cancellationToken).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The program ends.
        }

        await Task.WhenAll(_asking.Values).ConfigureAwait(false);
    }

    /// <summary>One that is given memory for a while keeps no other waiting.</summary>
    // spec: MIG-105
    private async Task AskAllAsync(CancellationToken cancellationToken)
    {
        foreach (JobId ended in _asking.Where(asking => asking.Value.IsCompleted).Select(asking => asking.Key).ToArray())
        {
            await _asking[ended].ConfigureAwait(false);
            _asking.Remove(ended);
        }

        try
        {
            foreach (OpenDoubt doubt in _inquiry.FindAll())
            {
                if (!_asking.ContainsKey(doubt.JobId))
                    _asking.Add(doubt.JobId, AskOneAsync(doubt, cancellationToken));
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The journals cannot be read now; they are looked at again in a moment.
        }
    }

    private async Task AskOneAsync(OpenDoubt doubt, CancellationToken cancellationToken)
    {
        try
        {
            TargetHeard heard = await _word.AskOnceAsync(doubt, cancellationToken).ConfigureAwait(false);
            if (heard.EndsDoubt)
                _output.Show(JobView.Of(heard.Job!));
        }
        catch (Exception)
        {
            // It is asked again in a moment, unless the program ends; no other job shall go unasked for it.
        }
    }
}
