using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary>
/// <c>p2pmigrate check [CONTAINER [--to TICKET]]</c>: can this machine migrate, can this container be dumped, and would the peer take it; a remedy per "no".
/// </summary>
internal sealed class CheckCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();

    private readonly Argument<string?> _container = new("CONTAINER")
    {
        Description = "A running container to look at too.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _ticket = new("--to")
    {
        Description = "Ask the peer that issued this ticket too. The ticket stays good.",
        HelpName = "TICKET",
    };

    private readonly SourceContainer _source = new();

    private readonly Option<string?> _listen = PeerAddressing.ListenOption();

    public CheckCommand()
        : base("check", "Checks this machine, a container, and the peer it is to go to, without touching any.")
    {
        Arguments.Add(_container);
        Options.Add(_ticket);
        Options.Add(_runtime.Option);
        Options.Add(_runtime.Pid);
        foreach (Option option in _source.Options)
            Options.Add(option);
        Options.Add(_listen);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _runtime.Environment(context);
        string? ticket = context.Parsed.GetValue(_ticket);
        List<FindingMade> findings = [];
        if (context.Parsed.GetResult(_container) is { Tokens.Count: > 0 } || context.Parsed.GetResult(_runtime.Pid) is not null)
        {
            string name = _runtime.NameOf(context, _container);
            ContainerDescription container = await _source.InspectAsync(context.Parsed, environment, name, cancellationToken).ConfigureAwait(false);
            IContainerRuntime runtime = environment.Runtime.Of(container.Runtime) ?? environment.Runtime;
            Note("here", await runtime.CheckMachineAsync(cancellationToken).ConfigureAwait(false));
            Note("here", await environment.Runtime.CheckSourceAsync(container, cancellationToken).ConfigureAwait(false));
            if (ticket is not null)
                Note("target", await AskAsync(context, environment, container, ticket, cancellationToken).ConfigureAwait(false));
        }
        else if (ticket is not null)
            throw new UsageException("--to asks whether a container could go there: name the container too.");
        else
            Note("here", await environment.Runtime.CheckMachineAsync(cancellationToken).ConfigureAwait(false));

        int blockers = findings.Count(finding => finding.Severity == "blocker");
        context.Output.Show(new CheckCompleted(blockers == 0, blockers, findings.Count(finding => finding.Severity == "warning")));
        return blockers == 0 ? ExitCode.Done : ExitCode.Preflight;

        void Note(string where, IReadOnlyList<Finding> made)
        {
            foreach (Finding finding in made)
            {
                findings.Add(MigrationView.Of(finding, where));
                context.Output.Show(findings[^1]);
            }
        }
    }

    private async Task<IReadOnlyList<Finding>> AskAsync(
        CommandContext context, MigrationEnvironment environment, ContainerDescription container, string ticket, CancellationToken cancellationToken)
    {
        await using PeerConnection peer = await PeerConnection.OpenAsync(
            context, rendezvous: null, context.Parsed.GetValue(_listen), cancellationToken).ConfigureAwait(false);
        await using TunnelSession session = await peer.DialAsync(ticket, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Finding> findings = await new SourceRunner(environment).AskAsync(session, container, cancellationToken).ConfigureAwait(false);
        await session.CloseAsync(0, "done", CancellationToken.None).ConfigureAwait(false);
        return findings;
    }
}
