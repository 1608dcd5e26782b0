namespace P2PMigrate.Migration;

/// <summary>What an agent does about jobs that an earlier process of it left unfinished. Jobs of a process that lives are left alone.</summary>
public sealed class JobRecovery(MigrationEnvironment environment)
{
    /// <summary>
    /// On start of <c>receive</c>: every unfinished job of the target role is cleaned up, unless its commit was heard. One entry per job
    /// found; a job that could not be cleaned is among them and says why.
    /// </summary>
    public Task<IReadOnlyList<RecoveredJob>> RecoverTargetAsync(CancellationToken cancellationToken = default)
        => throw new InvalidOperationException($"{environment} {cancellationToken}");

    /// <summary>
    /// On start of <c>migrate</c>: unfinished jobs of the source role of this container (or of all, when null) are rolled back when they had not
    /// committed, and finished when the target was heard running. A job in between is reported as <see cref="RecoveryAction.InDoubt"/> and
    /// nothing is done to it: the caller refuses to go on and shows <see cref="RecoveredJob.Message"/>.
    /// </summary>
    public Task<IReadOnlyList<RecoveredJob>> RecoverSourceAsync(string? container = null, CancellationToken cancellationToken = default)
        => throw new InvalidOperationException($"{environment} {container} {cancellationToken}");

    /// <summary>
    /// A person's word on a job in doubt at the source: keep the source (thaw; risks a second copy if the target runs) or the target
    /// (destroy; risks the only copy if it does not). Throws <see cref="MigrationException"/> when there is no such job or it is not in doubt.
    /// </summary>
    public Task<RecoveredJob> ResolveAsync(JobId job, ContainerSide keep, CancellationToken cancellationToken = default)
        => throw new InvalidOperationException($"{environment} {job} {keep} {cancellationToken}");
}
