using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Stages;

/// <summary>What a push did.</summary>
/// <param name="Container">The container's name.</param>
/// <param name="Place">Where its content is now.</param>
/// <param name="PushedBytes">Content that was sent, before compression.</param>
/// <param name="KnownBytes">Content that was there already.</param>
public sealed record ContentPushed(string Container, string Place, long PushedBytes, long KnownBytes);

/// <summary>Puts the content of a running container's files into a place: <c>push</c>, and the stage <c>prepare-data</c>. Changes nothing at the container, and can be repeated.</summary>
// spec: DEP-21
public sealed class PushRunner(MigrationEnvironment environment, IObjectStore place)
{
    /// <summary>
    /// Sends what the place does not have yet. Throws <see cref="MigrationException"/> for a name that cannot be moved or a depot that is damaged, <see cref="PlaceException"/> when the place
    /// cannot be used; what is there by then is good for the next push.
    /// </summary>
    public async Task<ContentPushed> RunAsync(
        ContainerDescription container, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!ContainerName.TryParse(container.Name, out ContainerName name))
            throw new MigrationException(MigrationFault.WrongState, SourceTurn.NameReason(container.Name));
        environment.State.Create();
        PlaceCheck.RefuseIfDoomed(environment.State, container, place.Place);
        var reporter = new ProgressReporter(environment, JobId.Create(), name.Value, progress);
        var meter = new TransferMeter(reporter.Advance);
        reporter.Watch(meter);
        reporter.Enter(MigrationPhase.Copying);
        using var push = new ContentPush(new Depot(place, name), container.Files, meter);
        await push.RunAsync(cancellationToken).ConfigureAwait(false);
        reporter.Enter(null);
        return new ContentPushed(name.Value, place.Place, push.PushedBytes, push.KnownBytes);
    }
}
