using System.Runtime.InteropServices;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Crun;

/// <summary>
/// What crun does otherwise than runc. Few of CRIU's options can be given to it, so they are lines of CRIU's configuration. It knows a container that is being restored only when that
/// runs. CRIU itself puts what it restores into the container's cgroup: crun would do so too late, and its <c>restore</c> pays no heed to <c>--manage-cgroups-mode</c>. A killed restore leaves
/// mounts in the bundle and the work directory.
/// </summary>
// spec: MIG-180
internal sealed class CrunTool(CrunOptions options) : RuncTool(options.AsRunc)
{
    private const string Library = "libcriu.so.2";
    private const string NoNetwork = "empty-ns net"; // what runc always tells CRIU: a network namespace is prepared by others, or has loopback only
    private const string UnifiedOnly = "cgroup-dump-controller \"\""; // cgroup v2, whose controller has no name: a v1 freezer beside it would be restored as frozen
    private static readonly ToolVersion s_first = new(1, 28);

    /// <inheritdoc/>
    public override string Name => "crun";

    /// <inheritdoc/>
    public override ToolVersion VersionMin => s_first;

    /// <inheritdoc/>
    public override IEnumerable<string> RestoreLines => [NoNetwork];

    /// <inheritdoc/>
    public override IReadOnlyList<string> LazyOptions => [];

    /// <inheritdoc/>
    public override IEnumerable<string> LazyLines => ["lazy-pages"];

    /// <inheritdoc/>
    public override IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
    [
        .. CommandLine("--log", LogPath(workDirectory, "dump"), "--log-format", "json", "checkpoint"),
        "--leave-running", "--tcp-established", "--file-locks", .. options, "--image-path", imageDirectory, "--work-path", workDirectory, fence.Container,
    ];

    /// <inheritdoc/>
    public override IEnumerable<string> DumpLines(FenceRecord fence, IMemoryDelivery memory) => [NoNetwork, UnifiedOnly, "skip-in-flight", .. CriuConfiguration.FromCommandLine(memory.DirectOptions)];

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> RestoreOptionsAsync(bool manageCgroups, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <inheritdoc/>
    public override async Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        string state = StateDirectoryOf(record.Container);
        RemoveMounts(state, record.BundlePath, workDirectory);
        foreach (string point in (string[])[Path.Combine(record.BundlePath, "criu-root"), .. Directory.EnumerateDirectories(workDirectory, ".criu.cgyard.*")])
        {
            if (Directory.Exists(point)) Directory.Delete(point); // only ever empty: what was mounted there is away
        }

        if (File.Exists(Path.Combine(state, "status"))) await DeleteAsync(record.Container, cancellationToken).ConfigureAwait(false);
        if (Directory.Exists(state)) Directory.Delete(state, recursive: true); // crun will not remove one that it does not know
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Finding> CheckInstallation()
    {
        bool loads = NativeLibrary.TryLoad(Library, out nint library);
        if (loads) NativeLibrary.Free(library);
        return
        [
            new Finding(
                loads ? FindingSeverity.Good : FindingSeverity.Blocker, "libcriu", loads ? "CRIU's library, which crun calls, is here." : $"CRIU's library ({Library}), which crun calls, is not here.",
                loads ? null : "apt-get install libcriu2"),
        ];
    }

    /// <summary>There is a directory for a container that is being restored, or whose restore broke off, but nothing else.</summary>
    protected override bool IsUnknown(string error) =>
        base.IsUnknown(error) || (error.Contains("/status", StringComparison.Ordinal) && error.Contains("No such file", StringComparison.Ordinal));
}
