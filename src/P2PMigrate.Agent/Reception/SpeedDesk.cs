namespace P2PMigrate.Agent.Reception;

/// <summary>
/// Decides which speed tests are served: one at a time, and none while a job is under way, since a container is frozen for as
/// long as its last bytes take. Whoever is turned away learns why. Safe for use from several threads.
/// </summary>
internal sealed class SpeedDesk
{
    /// <summary>Ends the session of a test that is not served, or no longer.</summary>
    // spec: SPD-08
    public const ulong Busy = 0x100;

    private const string BusyWithTest = "another speed test is under way; try again when it has ended";
    private const string BusyWithJob = "a container is on its way to this peer; try again when it has arrived";

    private readonly Lock _lock = new();
    private FirstStream? _served;
    private int _jobs;

    /// <summary>Serves the speed test to its end, or turns it away, if the session is for one; false when it is for something else.</summary>
    // spec: SPD-08
    public async Task<bool> TryServeAsync(FirstStream session, CancellationToken cancellationToken)
    {
        if (!session.IsForSpeedTest)
            return false;
        if (Begin(session) is { } refusal)
        {
            await session.CloseAsync(Busy, refusal, CancellationToken.None).ConfigureAwait(false);
            return true;
        }

        try
        {
            await session.ServeSpeedTestAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                _served = null;
        }

        return true;
    }

    /// <summary>A job was admitted: the test that runs ends, and until <see cref="EndJob"/> there is no other.</summary>
    // spec: SPD-09
    public void BeginJob()
    {
        FirstStream? served;
        lock (_lock)
        {
            _jobs++;
            served = _served;
        }

        // The job does not wait for the farewell.
        _ = served?.CloseAsync(Busy, BusyWithJob, CancellationToken.None).AsTask();
    }

    /// <summary>Once for each <see cref="BeginJob"/>.</summary>
    public void EndJob()
    {
        lock (_lock)
            _jobs--;
    }

    private string? Begin(FirstStream session)
    {
        lock (_lock)
        {
            if (_jobs > 0)
                return BusyWithJob;
            if (_served is not null)
                return BusyWithTest;
            _served = session;
            return null;
        }
    }
}
