using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>A copy that CRIU has let go of, in its frozen cgroup and off its network, and what <see cref="RestoreRecord"/> says of it.</summary>
internal sealed class RestoredCopy(RestoreRecord record, string workDirectory, ILogger logger)
{
    /// <summary>
    /// Puts it on its network and thaws it; can be repeated. When this throws, it has not run. On its network first: what it says to nobody would be said again only after a fifth of a second. One that lacks memory which
    /// nobody keeps any more is not thawed.
    /// </summary>
    public async Task LetRunAsync(CancellationToken cancellationToken)
    {
        if (!record.Thawed) LateGiving.RequireKept(workDirectory, record.Container); // spec: MEM-41
        RestoreRecord released = record with { Released = true };
        if (!record.Released) released.Save(workDirectory);
        string? offNetwork = await NetworkIsolation.TryAttachAsync(record.Links, cancellationToken).ConfigureAwait(false);
        if (record is { Thawed: false, CgroupPath: { } path }) new Cgroup(path).Thaw();
        TryMarkThawed(released);
        if (record.NetworkNamespacePath is { } network && record.Links.Count > 0) Announcement.Begin(network, logger);
        if (offNetwork is not null) logger.LeftOffNetwork(record.Container, offNetwork);
    }

    /// <summary>What has become of the copy of which <paramref name="record"/> speaks. The runtime is asked only of one that was released: LXC answers nobody while a restore hangs.</summary>
    // spec: MIG-59
    public static async Task<RestoredState> StateOfAsync(RestoreRecord? record, string workDirectory, IRuntimeProgram runtime, CancellationToken cancellationToken) => record switch
    {
        null => RestoredState.Unknown,
        { Removed: true } => RestoredState.NeverRan,
        { Released: false } when ReleaseGuard.MayRun(workDirectory, Path.Combine(workDirectory, HeldRestore.LogName)) => RestoredState.Unknown,
        { Released: false } => RestoreHook.HasFrozen(workDirectory) && IsThawed(record) ? RestoredState.Unknown : RestoredState.NeverRan,
        { Thawed: false } when !IsThawed(record) => RestoredState.Unknown,
        _ => await runtime.FindAsync(record.Container, cancellationToken).ConfigureAwait(false) is { Lives: true } known && known.Bundle == record.BundlePath
            ? RestoredState.Runs : RestoredState.Unknown,
    };

    /// <summary>It runs by now, whatever becomes of this.</summary>
    private void TryMarkThawed(RestoreRecord released)
    {
        try
        {
            (released with { Thawed = true }).Save(workDirectory);
        }
        catch (Exception)
        {
            // the cgroup says it too, while nobody pauses the container
        }
    }

    /// <summary>Are there processes of it, that are not to stand still?</summary>
    private static bool IsThawed(RestoreRecord record) => record.CgroupPath is { } path && new Cgroup(path) is { IsPopulated: true, IsAskedToFreeze: false };
}
