using System.CommandLine;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Places;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Tunnel;
using MigrationFailed = P2PMigrate.Agent.Output.MigrationFailed;

namespace P2PMigrate.Agent.Commands;

/// <summary>
/// What every command shares: the common options, the output they choose, the log, and the way a failure becomes one
/// sentence and one exit code. A command adds its own options and says what it does in <see cref="RunAsync"/>.
/// </summary>
internal abstract class AgentCommand : Command
{
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Print one JSON object per line; the last one is the result.",
    };

    private readonly Option<bool> _verbose = new("--verbose", "-v")
    {
        Description = "Print the log to standard error.",
    };

    private readonly Option<string> _stateDirectory = new("--state-dir")
    {
        Description = "Where keys, journals and received containers are kept.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "/var/lib/p2pmigrate",
    };

    protected AgentCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_json);
        Options.Add(_stateDirectory);
        Options.Add(_verbose);
        SetAction(InvokeAsync);
    }

    /// <summary>Does what the command is for. Exceptions of the product's kinds become a sentence and an exit code.</summary>
    protected abstract Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken);

    /// <summary>What Ctrl-C means before anything was begun: for a server the end that was wished for.</summary>
    protected virtual ExitCode Interrupt(IOutput output) => ExitCode.Done;

    /// <summary>Is there a container about which a failure has to say where it runs?</summary>
    protected virtual bool ConcernsContainer => true;

    /// <summary>May put something between the command and its output, which sees whatever is shown to the very end, and owns it.</summary>
    protected virtual IOutput Record(ParseResult parsed, IOutput output) => output;

    /// <summary>Where results go: standard output, unless the command has a better use for that.</summary>
    protected virtual TextWriter ResultsOf(ParseResult parsed) => Console.Out;

    private async Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        // A signal is handled by whoever holds this task: until it has been returned, SIGTERM means exit code 143 and no end of ours.
        await Task.Yield();
        using IOutput output = Record(parsed, OpenOutput(parsed.GetValue(_json), ResultsOf(parsed)));
        try
        {
            StateDirectory state = OpenState(parsed.GetValue(_stateDirectory)!);
            using ILoggerFactory log = AgentLog.Open(state, parsed.GetValue(_verbose), Name);
            var context = new CommandContext(parsed, state, output, log);
            await using TunnelPlaces tunnels = context.Tunnels;
            return (int)await RunAsync(context, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return (int)Interrupt(output);
        }
        catch (Exception exception)
        {
            (ExitCode code, MigrationFailed failure) = Explain(exception);
            output.Show(ConcernsContainer ? failure : failure with { RunningAt = "none" });
            return (int)code;
        }
    }

    private static StateDirectory OpenState(string path)
    {
        var state = new StateDirectory(path);
        try
        {
            state.Create();
            return state;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The state directory {state.Root} cannot be used: {exception.Message} Choose another with --state-dir, or run as root.", exception);
        }
    }

    /// <summary>Failures before a migration began: whatever container there is, nobody has touched it.</summary>
    private static (ExitCode Code, MigrationFailed Failure) Explain(Exception exception) => exception switch
    {
        UsageException => (ExitCode.Usage, new(exception.Message, "source")),
        ContainerException container => (ExitCode.Preflight, new(exception.Message, "source") { Remedy = LogHint(container.LogPath) }),
        MigrationException { Fault: MigrationFault.InDoubt } => (ExitCode.InDoubt, new(exception.Message, "none")),
        MigrationException { Fault: MigrationFault.UnknownJob or MigrationFault.WrongState or MigrationFault.JournalDamaged } => (ExitCode.Usage, new(exception.Message, "none")),
        MigrationException => (ExitCode.Preflight, new(exception.Message, "source")),
        PlaceException { InnerException: TunnelException } => (ExitCode.PeerUnreachable, new(exception.Message, "none")),
        PlaceException => (ExitCode.Usage, new(exception.Message, "none")),
        SnapshotException => (ExitCode.Preflight, new(exception.Message, "source")),
        TunnelException => (ExitCode.PeerUnreachable, new(exception.Message, "source")),
        _ => (ExitCode.Unexpected, new($"Unexpected: {exception.Message}", "source")
        {
            Remedy = $"This is a fault of the program: please report it with the log. {exception}",
        }),
    };

    private static string? LogHint(string? logPath) => logPath is null ? null : $"Details: {logPath}";

    private static IOutput OpenOutput(bool json, TextWriter results) =>
        json ? new JsonOutput(results)
        : Console.IsOutputRedirected || Console.IsErrorRedirected ? new PlainOutput(results, Console.Error)
        : new LiveOutput();
}

/// <summary>What a running command has at hand.</summary>
internal sealed record CommandContext(ParseResult Parsed, StateDirectory State, IOutput Output, ILoggerFactory Log)
{
    /// <summary>The places of peers that it uses.</summary>
    public TunnelPlaces Tunnels { get; } = new();
}
