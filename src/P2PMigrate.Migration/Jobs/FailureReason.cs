using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Turns what a piece of work threw into a reason for the machine and the user.</summary>
internal static class FailureReason
{
    /// <summary>The reason in one sentence, and whose fault it is. A log that it names is kept in <paramref name="state"/>.</summary>
    public static Failure Of(Exception exception, StateDirectory? state = null) => exception switch
    {
        TunnelException => new Failure(FailureKind.Peer, exception.Message),
        MigrationException { Fault: MigrationFault.PeerBrokeProtocol } => new Failure(FailureKind.Peer, exception.Message),
        CheckFailedException check => new Failure(FailureKind.Preflight, check.Message) { Findings = check.Findings },
        OperationCanceledException => new Failure(FailureKind.Interrupted, "The work was interrupted."),
        ContainerException { LogPath: { } log } => new Failure(FailureKind.Other, exception.Message + Mention(state is null ? log : KeptLogs.Keep(state, log))),
        ContainerException or SnapshotException or MigrationException => new Failure(FailureKind.Other, exception.Message),
        IOException or UnauthorizedAccessException => new Failure(FailureKind.Other, $"The file system refused: {exception.Message}"),
        _ => new Failure(FailureKind.Other, $"Something unforeseen failed ({exception.GetType().Name}): {exception.Message}"),
    };

    private static string Mention(string? log) => log is null ? "" : $" (log: {log})";

    /// <summary>
    /// Like <see cref="Of"/>, but when the peer reset a stream it gives the peer's own word, which travels on the control stream, the time to
    /// come first. <paramref name="stop"/> ends the wait.
    /// </summary>
    public static async Task<Failure> OfAsync(Exception exception, MigrationEnvironment environment, CancellationToken stop)
    {
        if (exception is TunnelException { Reason: TunnelFailure.StreamReset })
            await Task.Delay(environment.Timers.PeersWord, environment.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Of(exception, environment.State);
    }
}

/// <summary>A check said no. Never leaves this assembly.</summary>
internal sealed class CheckFailedException(string message, IReadOnlyList<Finding> findings) : Exception(message)
{
    /// <summary>All findings of the check.</summary>
    public IReadOnlyList<Finding> Findings { get; } = findings;

    /// <summary>A check that found one blocker.</summary>
    public static CheckFailedException Of(string subject, string message, string remedy) =>
        new(message, [new Finding(FindingSeverity.Blocker, subject, message, remedy)]);

    /// <summary>Throws when <paramref name="findings"/> hold a blocker.</summary>
    public static void ThrowIfBlocked(IReadOnlyList<Finding> findings)
    {
        if (findings.FirstOrDefault(finding => finding.Severity == FindingSeverity.Blocker) is { } blocker)
            throw new CheckFailedException(blocker.Message, findings);
    }
}
