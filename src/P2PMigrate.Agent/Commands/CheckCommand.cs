using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate check [CONTAINER]</c>: can this machine migrate, can this container be dumped; a remedy per "no".</summary>
internal sealed class CheckCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();

    private readonly Argument<string?> _container = new("CONTAINER")
    {
        Description = "A running container to look at too.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public CheckCommand()
        : base("check", "Checks this machine, and a container, without touching either.")
    {
        Arguments.Add(_container);
        Options.Add(_runtime.Option);
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        IContainerRuntime runtime = _runtime.Environment(context).Runtime;
        List<Finding> findings = [];
        if (context.Parsed.GetValue(_container) is not { } name)
            findings.AddRange(await runtime.CheckMachineAsync(cancellationToken).ConfigureAwait(false));
        else
        {
            ContainerDescription container = await runtime.InspectAsync(name, bundle: null, cancellationToken).ConfigureAwait(false);
            findings.AddRange(await (runtime.Of(container.Runtime) ?? runtime).CheckMachineAsync(cancellationToken).ConfigureAwait(false));
            findings.AddRange(await runtime.CheckSourceAsync(container, cancellationToken).ConfigureAwait(false));
        }
        foreach (Finding finding in findings)
            context.Output.Show(MigrationView.Of(finding, "here"));

        int blockers = findings.Count(finding => finding.Severity == FindingSeverity.Blocker);
        context.Output.Show(new CheckCompleted(blockers == 0, blockers, findings.Count(finding => finding.Severity == FindingSeverity.Warning)));
        return blockers == 0 ? ExitCode.Done : ExitCode.Preflight;
    }
}
