using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary>Waits for the path that a migration would take.</summary>
internal static class BestPath
{
    /// <summary>How long a direct path may take before the relay is called the answer.</summary>
    private static readonly TimeSpan s_directPatience = TimeSpan.FromSeconds(5);

    /// <summary>The direct path when it comes in time, else whatever carries data then. Throws <see cref="TunnelException"/> when nothing does.</summary>
    public static async Task<PathSummary> OfAsync(TunnelSession session, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_directPatience);
        PathSummary? last = null;
        try
        {
            await foreach (PathSummary path in session.WatchPathAsync(patience.Token).ConfigureAwait(false))
            {
                last = path;
                if (path.Kind == PathKind.Direct)
                    return session.PrimaryPath ?? path;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The relay it is.
        }
        if (session.Completion.IsCompleted)
        {
            SessionEnd end = await session.Completion.ConfigureAwait(false);
            throw new TunnelException(TunnelFailure.Closed, $"The peer ended the session: {end.Reason}");
        }
        return session.PrimaryPath ?? last ?? throw new TunnelException(
            TunnelFailure.PeerUnreachable, "The peer answered, but no path carried data; is UDP filtered on the way?");
    }
}
