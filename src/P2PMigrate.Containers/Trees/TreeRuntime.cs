using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>
/// Process trees without a container around them, by CRIU alone. Their memory moves and their numbers stay; their files, addresses and whatever else is the machine's are expected at the target. Needs root, cgroup v2 and
/// CRIU 4.1 or later. Holds no state of its own: any number of jobs may share it, on any thread.
/// </summary>
// spec: MIG-195
public sealed class TreeRuntime : CriuRuntime
{
    private const string Nothing = "no-files";
    private const string ExpectedRemedy = "Files of a plain process tree do not move; the target must see the same ones, with the same content, when it arrives.";

    private readonly TreeTool _tool;
    private readonly ILogger _logger;

    /// <summary>A runtime that finds CRIU where <paramref name="options"/> say.</summary>
    public TreeRuntime(TreeOptions options, ILogger logger)
        : this(new TreeTool(options), logger)
    {
    }

    private TreeRuntime(TreeTool tool, ILogger logger)
        : base(tool, logger) => (_tool, _logger) = (tool, logger);

    /// <summary>The name, among containers, of the tree whose first process has this number.</summary>
    public static string NameOf(int first) => ProcessTree.NameOf(first);

    /// <summary>Nobody has written down how.</summary>
    public override string HowToStart(string name, string bundlePath) => "Its files are here, as they were. Start the program again the way it was started before.";

    /// <inheritdoc/>
    public override async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        if (bundle is not null) throw new ContainerException("A process tree has no bundle; leave out --bundle.");
        ProcessTree tree = ProcessTree.Of(name) ?? throw new ContainerException($"'{name}' is no process tree; it is named by the number of its first process: --pid NUMBER");
        KnownContainer known = await _tool.FindAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new ContainerException($"There is no process {tree.First} here.");
        Cgroup cgroup = TreeCgroup.PlaceOf(tree.First) ?? throw tree.Ended();
        KnownContainer.RequireRunning(name, known.Status, $"echo 0 > {cgroup.Path}/cgroup.freeze");
        IReadOnlyList<int> pids = tree.Pids();
        RequireMovable(tree, pids);
        return new ContainerDescription
        {
            Name = name,
            Runtime = Name,
            BundlePath = known.Bundle,
            RootPath = Directory.CreateDirectory(Path.Combine(_tool.Options.DataDirectory, Nothing)).FullName,
            Configuration = TreeConfiguration.Of(pids).ToBytes(),
            InitPid = tree.First,
            CgroupPath = cgroup.Path,
            MemoryBytes = pids.Sum(ProcessTable.ResidentBytes),
            ProcessCount = pids.Count,
        };
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken)
    {
        ProcessTree tree = TreeOf(container);
        IReadOnlyList<Finding> own = await new TreeCheck().AtSourceAsync(tree, cancellationToken).ConfigureAwait(false);
        return [.. own, .. await new SourceCheck(_tool, container, NetworkFate.Prepared, tree.Pids).RunAsync(own.Count == 0, cancellationToken).ConfigureAwait(false)];
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
    [
        .. await new TargetCheck(_tool, container, source, _tool.Options.DataDirectory).RunAsync(cancellationToken).ConfigureAwait(false),
        .. new TreeCheck().AtTarget(container.Configuration.Span),
    ];

    /// <inheritdoc/>
    public override ILiveMemory? OpenLiveMemory(ContainerDescription container)
    {
        ProcessTree tree = TreeOf(container);
        return new LiveMemoryReader(tree.Pids, tree.Holds);
    }

    /// <summary>Gathers the tree in a cgroup of its own below the one in which it is, where it goes on until it is frozen.</summary>
    // spec: MIG-197
    public override async Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken)
    {
        ProcessTree tree = TreeOf(container);
        Cgroup cgroup = TreeCgroup.Gather(tree);
        try
        {
            return new TreePlan(await base.PrepareFreezeAsync(container, workDirectory, cancellationToken).ConfigureAwait(false), tree, cgroup);
        }
        catch
        {
            TreeCgroup.Scatter(cgroup);
            throw;
        }
    }

    /// <inheritdoc/>
    public override async Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken)
    {
        if (FenceRecord.LoadOfAnyBoot(workDirectory) is not { } record || record.Runtime != Name) return null;
        IFence? fence = await base.ReopenFenceAsync(workDirectory, cancellationToken).ConfigureAwait(false);
        return fence is null ? new EndedTree() : new TreeFence(fence, new Cgroup(record.CgroupPath));
    }

    /// <summary>By its number alone a tree that was restored could be taken for another process.</summary>
    public override async Task<bool> LivesFromAsync(string name, string bundlePath, CancellationToken cancellationToken) =>
        await _tool.FindAsync(name, cancellationToken).ConfigureAwait(false) is { Lives: true } known && known.Bundle == bundlePath;

    /// <summary>Its files are this machine's.</summary>
    public override Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        Task.Run(() => FileVerification.Run(request.ImageDirectory, "/", ExpectedRemedy, cancellationToken, TreeConfiguration.IsMade), cancellationToken);

    private protected override HeldRestore Restore(RestoreRequest request) => new TreeRestore(_tool, _logger, request);

    /// <summary>The same processes that were described, and not later ones with their numbers.</summary>
    private static ProcessTree TreeOf(ContainerDescription container) =>
        TreeConfiguration.Parse(container.Configuration.Span) is { } configuration && ProcessTree.Of(container.Name, configuration.Started) is { } tree ? tree
            : throw new ContainerException($"'{container.Name}' is no process tree.");

    private static void RequireMovable(ProcessTree tree, IReadOnlyList<int> pids)
    {
        if (pids.Count == 0) throw tree.Ended();
        if (tree.First == 1) throw new ContainerException("Process 1 is this machine's first one and cannot move.");
        if (ProcessTable.LinkOf(tree.First, "exe") is null) throw new ContainerException($"Process {tree.First} is the kernel's own and cannot move.");
        if (pids.Contains(Environment.ProcessId)) throw new ContainerException($"This program is itself one of the tree of process {tree.First}; start it from elsewhere.");
    }
}
