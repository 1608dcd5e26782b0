using System.CommandLine;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Places;
using P2PMigrate.Containers;
using P2PMigrate.Containers.Crun;
using P2PMigrate.Containers.Lxc;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary>The option <c>--runtime</c> and what it means: the one place that knows which runtimes there are.</summary>
internal sealed class RuntimeChoice
{
    private const string Auto = "auto", Runc = "runc", Crun = "crun", Lxc = "lxc", Podman = "podman";

    public Option<string> Option { get; } = new("--runtime")
    {
        Description = "The container runtime; auto finds the one that has the container.",
        HelpName = "auto|runc|crun|lxc|podman",
        DefaultValueFactory = _ => Auto,
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

    private IContainerRuntime Create(CommandContext context) => context.Parsed.GetValue(Option) switch
    {
        Auto => OfThisMachine(context),
        Runc => CreateRunc(context),
        Crun => CreateCrun(context),
        Lxc => CreateLxc(context),
        Podman => CreatePodman(context),
        var other => throw new UsageException($"There is no runtime called {other}; this version knows runc, crun, lxc and podman."),
    };

    /// <summary>Those that are installed. On a machine with none, the checks say what runc lacks.</summary>
    private static IContainerRuntime OfThisMachine(CommandContext context)
    {
        List<IContainerRuntime> installed = [];
        if (RuncRuntime.IsInstalled) installed.Add(CreateRunc(context));
        if (CrunRuntime.IsInstalled) installed.Add(CreateCrun(context));
        if (LxcRuntime.IsInstalled) installed.Add(CreateLxc(context));
        if (PodmanRuntime.IsInstalled) installed.Add(CreatePodman(context));
        return installed switch
        {
            [] => CreateRunc(context),
            [var one] => one,
            _ => new RuntimeSet(installed),
        };
    }

    private static RuncRuntime CreateRunc(CommandContext context) =>
        new(new RuncOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<RuncRuntime>());

    private static CrunRuntime CreateCrun(CommandContext context) =>
        new(new CrunOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<CrunRuntime>());

    private static LxcRuntime CreateLxc(CommandContext context) =>
        new(new LxcOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<LxcRuntime>());

    private static PodmanRuntime CreatePodman(CommandContext context) =>
        new(OptionsOfPodman(context), context.Log.CreateLogger<PodmanRuntime>());

    private static PodmanOptions OptionsOfPodman(CommandContext context) => new() { DataDirectory = context.State.Root };
}
