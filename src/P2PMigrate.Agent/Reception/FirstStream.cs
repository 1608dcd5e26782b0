using P2PMigrate.Agent.Speed;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Reception;

/// <summary>
/// A session whose first stream has come and tells what the session is for. To whoever takes it over, the first stream is
/// still to be accepted. The session stays its owner's.
/// </summary>
// spec: SPD-01
internal sealed class FirstStream : ITunnelSession
{
    private readonly ITunnelSession _session;
    private ITunnelStream? _first;

    private FirstStream(ITunnelSession session, ITunnelStream first) => (_session, _first) = (session, first);

    /// <inheritdoc/>
    public Task<SessionEnd> Completion => _session.Completion;

    /// <inheritdoc/>
    public PathSummary? PrimaryPath => _session.PrimaryPath;

    /// <inheritdoc/>
    public ITunnelDatagrams Datagrams => _session.Datagrams;

    /// <summary>Waits for the first stream; null when the session ends without one, or none comes in time.</summary>
    public static async Task<FirstStream?> OfAsync(ITunnelSession session, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(patience);
        try
        {
            return new FirstStream(session, await session.AcceptStreamAsync(time.Token).ConfigureAwait(false));
        }
        catch (Exception end) when (end is TunnelException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Is the session for a speed test?</summary>
    public bool IsForSpeedTest => _first is { Priority: StreamPriority.Urgent };

    /// <summary>Is it for a question?</summary>
    // spec: MIG-170, MIG-190
    public bool IsQuestion => _first is { Priority: StreamPriority.Bulk };

    /// <summary>Serves the speed test, for which the session must be, to its end, whatever that is.</summary>
    public async Task ServeSpeedTestAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SpeedTest.ServeAsync(_session, await AcceptStreamAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception end) when (end is TunnelException or OperationCanceledException)
        {
            // The initiator went away, a job came, or this program ends: a test leaves nothing to clean up.
        }
    }

    /// <inheritdoc/>
    public ValueTask<ITunnelStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken = default) =>
        _session.OpenStreamAsync(priority, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ITunnelStream> AcceptStreamAsync(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref _first, null) is { } first ? ValueTask.FromResult(first) : _session.AcceptStreamAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask CloseAsync(ulong code, string reason, CancellationToken cancellationToken = default) =>
        _session.CloseAsync(code, reason, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
