using System.CommandLine;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>The option <c>--runtime</c> and what it means: the one place that knows which runtimes there are.</summary>
internal sealed class RuntimeChoice
{
    public Option<string> Option { get; } = new("--runtime")
    {
        Description = "The container runtime.",
        HelpName = "runc",
        DefaultValueFactory = _ => "runc",
    };

    /// <summary>What jobs on this machine share, with the chosen runtime.</summary>
    public MigrationEnvironment Environment(CommandContext context) => new()
    {
        Runtime = Create(context),
        State = context.State,
        Downtimes = new DowntimeModel(context.State.Downtimes),
        Logger = context.Log.CreateLogger<MigrationEnvironment>(),
    };

    private RuncRuntime Create(CommandContext context) => context.Parsed.GetValue(Option) switch
    {
        "runc" => new RuncRuntime(new RuncOptions { DataDirectory = context.State.Root }, context.Log.CreateLogger<RuncRuntime>()),
        var other => throw new UsageException($"There is no runtime called {other}; this version knows runc."),
    };
}
