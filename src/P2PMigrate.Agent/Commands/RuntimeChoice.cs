using System.CommandLine;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Places;
using P2PMigrate.Containers;
using P2PMigrate.Containers.Crun;
using P2PMigrate.Containers.Lxc;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Trees;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary>The options <c>--runtime</c> and <c>--pid</c> and what they mean: the one place that knows which runtimes there are.</summary>
internal sealed class RuntimeChoice
{
    private const string Auto = "auto", Runc = "runc", Crun = "crun", Lxc = "lxc", Podman = "podman", Criu = "criu";

    public Option<string> Option { get; } = new("--runtime")
    {
        Description = "The container runtime; auto finds the one that has the container.",
        HelpName = "auto|runc|crun|lxc|podman|criu",
        DefaultValueFactory = _ => Auto,
    };

    /// <summary>A process tree instead of a container.</summary>
    public Option<int?> Pid { get; } = new("--pid")
    {
        Description = "Instead of a container: the process with this number and all that descend from it. Its memory moves; its files, numbers and addresses must be there, or free, at the target.",
        HelpName = "NUMBER",
    };

    /// <summary>What the user named, a container or a process tree.</summary>
    public string NameOf(CommandContext context, Argument<string?> container) => (context.Parsed.GetValue(container), context.Parsed.GetValue(Pid)) switch
    {
        ({ } name, null) => name,
        (null, > 0 and var first) => TreeRuntime.NameOf(first),
        (null, { } none) => throw new UsageException($"--pid names a process by its number, and {none} is none."),
        (null, null) => throw new UsageException("Which container? Type its name, or --pid NUMBER for a process tree without one."),
        _ => throw new UsageException("A container or a process tree: type its name or --pid, not both."),
    };

    /// <summary>What jobs on this machine share, with the chosen runtime.</summary>
    public MigrationEnvironment Environment(CommandContext context) => new()
    {
        Runtime = Create(context),
        State = context.State,
        Downtimes = new DowntimeModel(context.State.Downtimes),
        OpenPlace = place => new UnsealingPlace(context, place),
        Logger = context.Log.CreateLogger<MigrationEnvironment>(),
    };

    /// <summary>Where Podman is, for what only Podman can do. Throws <see cref="UsageException"/> when another runtime was asked for.</summary>
    public PodmanOptions RequirePodman(CommandContext context) => context.Parsed.GetValue(Option) is Auto or Podman ? OptionsOfPodman(context)
        : throw new UsageException("An archive of Podman's is restored by Podman; leave out --runtime.");

    private IContainerRuntime Create(CommandContext context) => (context.Parsed.GetResult(Pid) is not null ? PidsOwn(context) : context.Parsed.GetValue(Option)) switch
    {
        Auto => OfThisMachine(context),
        Runc => CreateRunc(context),
        Crun => CreateCrun(context),
        Lxc => CreateLxc(context),
        Podman => CreatePodman(context),
        Criu => CreateTrees(context),
        var other => throw new UsageException($"There is no runtime called {other}; this version knows runc, crun, lxc and podman, and criu for process trees."),
    };

    private string PidsOwn(CommandContext context) => context.Parsed.GetValue(Option) is Auto or Criu ? Criu
        : throw new UsageException("--pid names a process tree, which has no container runtime: leave out --runtime.");

    /// <summary>Those that are installed, and CRIU for process trees. On a machine with none, the checks say what runc lacks.</summary>
    private static RuntimeSet OfThisMachine(CommandContext context)
    {
        List<IContainerRuntime> installed = [];
        if (RuncRuntime.IsInstalled) installed.Add(CreateRunc(context));
        if (CrunRuntime.IsInstalled) installed.Add(CreateCrun(context));
        if (LxcRuntime.IsInstalled) installed.Add(CreateLxc(context));
        if (PodmanRuntime.IsInstalled) installed.Add(CreatePodman(context));
        return new RuntimeSet(installed.Count > 0 ? installed : [CreateRunc(context)], CreateTrees(context));
    }

    private static RuncRuntime CreateRunc(CommandContext context) =>
        new(new RuncOptions { DataDirectory = context.State.Root, PageProgram = GivePagesCommand.Line }, context.Log.CreateLogger<RuncRuntime>());

    private static CrunRuntime CreateCrun(CommandContext context) =>
        new(new CrunOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<CrunRuntime>());

    private static LxcRuntime CreateLxc(CommandContext context) =>
        new(new LxcOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<LxcRuntime>());

    private static PodmanRuntime CreatePodman(CommandContext context) =>
        new(OptionsOfPodman(context), context.Log.CreateLogger<PodmanRuntime>());

    private static TreeRuntime CreateTrees(CommandContext context) =>
        new(new TreeOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<TreeRuntime>());

    private static PodmanOptions OptionsOfPodman(CommandContext context) => new() { DataDirectory = context.State.Root };
}
