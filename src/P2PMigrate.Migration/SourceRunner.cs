using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>
/// Moves a container away. Safe for use from several threads; the same container twice is refused. What a crash leaves behind is
/// dealt with by <see cref="JobRecovery"/>, which a caller runs before <see cref="SendAsync"/>.
/// </summary>
public sealed class SourceRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Proposes <paramref name="container"/> to the peer of <paramref name="session"/> and moves it there. The caller has checked the
    /// container with <see cref="IContainerRuntime.CheckSourceAsync"/>, and closes the session afterwards in any case.
    /// Every end of a job is an outcome, cancellation included (before the commit point it rolls back, after it it is ignored).
    /// Throws <see cref="MigrationException"/> only when no job was begun: <see cref="MigrationFault.AlreadyMigrating"/>, <see cref="MigrationFault.InDoubt"/>.
    /// </summary>
    public Task<MigrationOutcome> SendAsync(
        ITunnelSession session,
        ContainerDescription container,
        SendOptions options,
        IProgress<MigrationProgress>? progress = null,
        CancellationToken cancellationToken = default)
        => throw new InvalidOperationException($"{environment} {session} {container} {options} {progress} {cancellationToken}");
}
