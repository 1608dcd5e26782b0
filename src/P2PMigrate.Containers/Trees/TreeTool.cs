using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>Process trees as a runtime: CRIU dumps and restores them, and /proc is who knows them.</summary>
internal sealed class TreeTool(TreeOptions options) : IRuntimeProgram
{
    /// <summary>The runtime's name.</summary>
    public const string RuntimeName = "criu";

    private static readonly ToolVersion s_first = new(4, 1);

    private ToolVersion? _criu;

    public TreeOptions Options => options;

    /// <inheritdoc/>
    public string Name => RuntimeName;

    /// <inheritdoc/>
    public string Criu => options.Criu;

    /// <inheritdoc/>
    public bool IsCriu => true;

    /// <inheritdoc/>
    public string AttachCommand => "nsenter";

    /// <inheritdoc/>
    public bool DumpsNetwork => false;

    /// <inheritdoc/>
    public ToolVersion VersionMin => s_first;

    /// <inheritdoc/>
    public Task<ToolVersion> VersionAsync(CancellationToken cancellationToken) => CriuVersionAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) => _criu ??= await ToolVersion.AskAsync(options.Criu, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (ProcessTree.Of(name) is not { } tree || ProcessIdentity.Of(tree.First) is not { IsAlive: true } first || TreeCgroup.PlaceOf(tree.First) is not { } cgroup)
            return Task.FromResult<KnownContainer?>(null);
        return Task.FromResult<KnownContainer?>(new KnownContainer(
            cgroup.IsFrozen ? KnownContainer.Paused : KnownContainer.Running, tree.First, first.StartTicks.ToString(CultureInfo.InvariantCulture), TreeCgroup.BundleOf(cgroup) ?? PlainBundle(tree)));
    }

    /// <summary>What stands for the bundle of a tree that was started here.</summary>
    private static string PlainBundle(ProcessTree tree) => string.Create(CultureInfo.InvariantCulture, $"/proc/{tree.First}");

    /// <summary>The one in which <see cref="TreeRuntime"/> has gathered it, or that <see cref="TreeRestore"/> has made. Throws when the first process is in no such one, or is another than the name says.</summary>
    public Cgroup CgroupOf(string name, int init)
    {
        if (ProcessTree.Of(name) is not { } tree || tree.First != init) throw new ContainerException($"The first process of the dump has the number {init}, which does not belong to the name {name}.");
        Cgroup seat = TreeCgroup.PlaceOf(init) ?? throw tree.Ended();
        return TreeCgroup.IsOf(seat, name) ? seat : throw new ContainerException($"Process {init} was moved into another cgroup ({seat.Path}) by somebody; leave it where it is and try again.");
    }

    /// <inheritdoc/>
    public bool HasRemainsOf(string name) => false;

    /// <inheritdoc/>
    public string RemovalCommand(string name) => KillCommand(name);

    /// <summary>Nobody has written down how it was started.</summary>
    public string StartCommand(string name, string bundle) => "the command that started it";

    /// <inheritdoc/>
    public string KillCommand(string name) => $"kill -KILL {ProcessTree.Of(name)?.First}";

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <inheritdoc/>
    public IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
    [
        CriuShield.ProgramIn(workDirectory), "dump", "--tree", fence.InitPid.ToString(CultureInfo.InvariantCulture), "--images-dir", imageDirectory, "--work-dir", workDirectory, "--log-file", "dump.log", "-v4",
        "--leave-running", "--tcp-established", "--file-locks", "--link-remap", "--skip-in-flight", "--force-irmap", "--manage-cgroups=ignore", "--freeze-cgroup", fence.CgroupPath, .. memory.DirectOptions,
    ];

    /// <summary>A process whose parent has ended is nobody's of the tree any more, and CRIU does not see it; it was frozen with the others.</summary>
    public string? Loses(FenceRecord fence)
    {
        var tree = new ProcessTree(fence.InitPid);
        HashSet<int> all = [.. tree.Pids()];
        int lost = new Cgroup(fence.CgroupPath).Pids().FirstOrDefault(pid => !all.Contains(pid) && ProcessIdentity.Of(pid) is { IsAlive: true });
        return lost == 0 ? null
            : $"Process {lost} ({ProcessTable.Status(lost, "Name")}) has begun in the tree of process {fence.InitPid} and left it, since its parent ended; it would be lost. End it, or try again when it has ended.";
    }

    /// <inheritdoc/>
    public string? ComplaintOf(string workDirectory, string log) => null;

    /// <inheritdoc/>
    public int? RestoredInit(string workDirectory) => RestoreHook.InitOf(workDirectory);

    /// <summary>Nothing knows it but the kernel.</summary>
    public Task ForgetAsync(string name, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken) => Task.CompletedTask;
}
