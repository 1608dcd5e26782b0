using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Runtime;

/// <summary>
/// What migration needs from a container runtime with CRIU. Implementations run external programs; every failure is a
/// <see cref="ContainerException"/> whose message is a sentence a person can act on. Methods that look at a container
/// change nothing; only <see cref="IFreezePlan.FreezeAsync"/>, <see cref="RestoreAsync"/>, <see cref="KeepAsync"/> and <see cref="CleanUpAsync"/> touch the machine.
/// </summary>
public interface IContainerRuntime
{
    /// <summary>The runtime's name as the user types it: <c>runc</c>.</summary>
    string Name { get; }

    /// <summary>The runtime of this name, as far as it is this one or in it, or null.</summary>
    IContainerRuntime? Of(string runtime) => runtime == Name ? this : null;

    /// <summary>What a person types to start a container whose files are in <paramref name="bundlePath"/>.</summary>
    string StartCommand(string name, string bundlePath) => $"{Name} run -d -b {bundlePath} {name}";

    /// <summary>What a person types to end a container that runs.</summary>
    string KillCommand(string name) => $"{Name} kill {name} KILL";

    /// <summary>This machine's facts that the other peer must know for its own checks.</summary>
    Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken);

    /// <summary>Can this machine migrate at all? One finding per line of <c>p2pmigrate check</c>.</summary>
    Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Finds a running container. <paramref name="bundle"/> overrides the bundle that the runtime knows.
    /// Throws <see cref="ContainerException"/> when there is none by that name or it is not running.
    /// </summary>
    Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken);

    /// <summary>
    /// The same container with its volumes treated as <paramref name="choice"/> says: <see cref="ContainerDescription.Volumes"/> are those that go along, and the configuration
    /// names their places in the root file system. To be asked once of what <see cref="InspectAsync"/> has found. Throws <see cref="ContainerException"/> when it names what is no volume of it, or one that cannot go along.
    /// </summary>
    ContainerDescription WithVolumes(ContainerDescription container, VolumeChoice choice) =>
        choice.Named.Keys.FirstOrDefault() is { } path ? throw new ContainerException($"{container.Name} has no volumes, and so none at {path}.") : container;

    /// <summary>Is there a container of this name, running or not?</summary>
    async Task<bool> KnowsAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await InspectAsync(name, bundle: null, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ContainerException)
        {
            return false;
        }
    }

    /// <summary>Has a container of this name processes, that run or are paused? Throws <see cref="ContainerException"/> when the runtime does not say.</summary>
    Task<bool> LivesAsync(string name, CancellationToken cancellationToken);

    /// <summary>The same of the container that runs from <paramref name="bundlePath"/>, where a runtime's names may be given again to somebody else.</summary>
    Task<bool> LivesFromAsync(string name, string bundlePath, CancellationToken cancellationToken) => LivesAsync(name, cancellationToken);

    /// <summary>Where the files of a container that has ended are, and what a person types to start it anew.</summary>
    string HowToStart(string name, string bundlePath) => $"Its files are here, in {bundlePath}. To start it anew, type: {StartCommand(name, bundlePath)}";

    /// <summary>Can this container be dumped? Finds everything it can before anything is frozen.</summary>
    Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken);

    /// <summary>Could the peer's container be restored here? Asked at the target before any content is sent.</summary>
    Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken);

    /// <summary>The memory of a running container, to be read ahead of the freeze; null where this runtime or machine cannot.</summary>
    ILiveMemory? OpenLiveMemory(ContainerDescription container);

    /// <summary>
    /// Does ahead of time whatever a freeze and the dump after it need. <paramref name="workDirectory"/> is empty and private. The plan does not touch the
    /// container until <see cref="IFreezePlan.FreezeAsync"/>. Throws when the container is not there or does not run.
    /// </summary>
    Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken);

    /// <summary>
    /// A fence that an earlier process of ours built in <paramref name="workDirectory"/> and left behind, or null when
    /// there is nothing to fence any more.
    /// </summary>
    Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken);

    /// <summary>Writes the memory part of a dump in the form that this machine's CRIU reads.</summary>
    IPageSink CreatePageWriter(string imageDirectory);

    /// <summary>Can this container be restored here while memory of it is still at its source?</summary>
    bool TakesLateMemory(RestoreRequest request) => false;

    /// <summary>Does a container that was restored still lack memory that has not come from its source?</summary>
    // spec: MIG-105
    bool LacksMemory(RestoreRequest request) => false;

    /// <summary>
    /// Takes in what was left for later of a container's memory, as its images say; null when nothing was. To be opened before <see cref="RestoreAsync"/>: even to be held a container may need a page.
    /// Throws <see cref="ContainerException"/> when there is no room for it.
    /// </summary>
    ILateMemory? OpenLateMemory(RestoreRequest request) => null;

    /// <summary>
    /// Compares every file that the dump refers to (name, size, mode) with the restored root file system. A finding per
    /// difference; restore is not to be tried when there is a blocker.
    /// </summary>
    Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Does ahead of time whatever a restore needs besides content, so that less is left to do while the source stands still. The bundle is there
    /// with its configuration; nothing that <see cref="CleanUpAsync"/> would have to undo is done.
    /// </summary>
    Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Builds the container from its images and stops before its first instruction (CRIU's <c>post-restore</c> hook).
    /// When this throws, nothing of the container is left. It never runs unless <see cref="IHeldContainer.ReleaseAsync"/> is called,
    /// also when this process is killed.
    /// </summary>
    Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken);

    /// <summary>What has become of a restore that a killed process of ours may have released. Changes nothing.</summary>
    // spec: MIG-59
    Task<RestoredState> FindRestoredAsync(RestoreRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until a container that was released needs nothing of its images any more, which it may for a while as it runs; returns at once when it does not, or none was released. Can be repeated, also by a later process
    /// of ours. Throws <see cref="ContainerException"/> when what it waits for can no longer be given to it, also where it has ended with its machine: it returns only of one that lacks nothing, or that has come to its own end, and
    /// then the source's copy is destroyed.
    /// </summary>
    // spec: MIG-100, MIG-104
    Task CompleteAsync(RestoreRequest request, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Ends a release that a killed process of ours had begun: the container stays, runs, and is put on its network. Throws <see cref="ContainerException"/>
    /// when it was never let run or does not run: what a person sees of a held container is not enough.
    /// </summary>
    Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Removes what a killed process of ours left of a restore that was never released: processes, cgroup, runtime state,
    /// mounts. Does nothing when there is nothing. The bundle stays.
    /// </summary>
    Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken);
}

/// <summary>
/// A container at the source that is stopped by its own frozen cgroup. Exactly one of <see cref="ThawAsync"/> and
/// <see cref="DestroyAsync"/> ends it. If the process that holds the fence dies, the container stays frozen;
/// only while a dump fails, of which nothing has gone anywhere, it may be found running.
/// </summary>
public interface IFence : IAsyncDisposable
{
    /// <summary>Is there still something to thaw? A machine that was started again has lost what was frozen.</summary>
    bool IsAlive { get; }

    /// <summary>
    /// Dumps everything: images into <paramref name="imageDirectory"/>, memory into <paramref name="pages"/>. The container is still frozen
    /// afterwards, and also when this throws.
    /// </summary>
    Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken);

    /// <summary>What the dump left in the processes, as the sink took it (<see cref="IPageSink.TakesLater"/>), also one by an earlier process of ours; null when nothing was left.</summary>
    IRemainingMemory? OpenRemaining();

    /// <summary>
    /// Rollback: back on its network, running. False when the container has ended, because its first process did not survive: then its network and its cgroup are as before, and nothing more can be undone. Idempotent; retried until it
    /// does not throw.
    /// </summary>
    // spec: MIG-14
    Task<bool> ThawAsync(CancellationToken cancellationToken);

    /// <summary>After the commit point: kills every process without letting it run, and removes the runtime's record. Idempotent.</summary>
    Task DestroyAsync(CancellationToken cancellationToken);
}

/// <summary>What has become of a container that was restored, and perhaps let run.</summary>
public enum RestoredState
{
    /// <summary>Only a person can tell: it has ended, or the machine was started again, or it was about to be let run, or CRIU may have let go of it.</summary>
    Unknown = 0,

    /// <summary>It was never let run, or is removed. What is there of it, or seems to run, can be removed.</summary>
    NeverRan = 1,

    /// <summary>It was let run, and is there.</summary>
    Runs = 2,
}

/// <summary>
/// A restored container at the target that has not run yet. Disposing it without <see cref="ReleaseAsync"/> kills it.
/// </summary>
public interface IHeldContainer : IAsyncDisposable
{
    /// <summary>Lets it run. To be called only after the source has committed. When this throws, it will not run, and has not, but perhaps for the moment until it was seen that CRIU or its hook was killed (MIG-59).</summary>
    Task ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>Kills it before it ran, leaving nothing of it.</summary>
    Task AbortAsync(CancellationToken cancellationToken);
}
