using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate checkpoint CONTAINER -o FILE</c>: a running container of this machine into one file.</summary>
internal sealed class CheckpointCommand : AgentCommand
{
    private const string Pipe = "-";
    private const nint StandardOutput = 1;

    private readonly RuntimeChoice _runtime = new();

    private readonly Argument<string?> _container = new("CONTAINER") { Description = "The running container, as its runtime calls it.", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "The archive, a file that is not there yet; - writes to standard output and needs --leave-running.",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<bool> _leaveRunning = new("--leave-running")
    {
        Description = "The container goes on afterwards. Without it, it is stopped for good once the archive is on the disk.",
    };

    private readonly SourceContainer _source = new();

    public CheckpointCommand()
        : base("checkpoint", "Writes a running container, files and memory, into one archive.")
    {
        Arguments.Add(_container);
        Options.Add(_output);
        Options.Add(_leaveRunning);
        Options.Add(_runtime.Option);
        Options.Add(_runtime.Pid);
        foreach (Option option in _source.Options)
            Options.Add(option);
    }

    protected override ExitCode Interrupt(IOutput output)
    {
        output.Show(new Output.MigrationFailed("Interrupted before the checkpoint began.", "source"));
        return ExitCode.RunsAtSource;
    }

    protected override TextWriter ResultsOf(ParseResult parsed) => parsed.GetValue(_output) == Pipe ? Console.Error : Console.Out;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _runtime.Environment(context);
        string name = _runtime.NameOf(context, _container);
        string file = context.Parsed.GetValue(_output)!;
        bool isLeftRunning = context.Parsed.GetValue(_leaveRunning);
        RefuseWhatLosesContainers(file, isLeftRunning);
        if (await SourcePreparation.RecoverAsync(context, environment, name, cancellationToken).ConfigureAwait(false) is { } unfinished)
            return unfinished;
        ContainerDescription container = await _source.InspectAsync(context.Parsed, environment, name, cancellationToken).ConfigureAwait(false);
        if (!await SourcePreparation.CheckAsync(environment.Runtime, container, context.Output, cancellationToken).ConfigureAwait(false))
            return ExitCode.Preflight;

        await using Stream? pipe = file == Pipe ? OpenPipe() : null;
        using CancellationTokenRegistration interruption = cancellationToken.Register(() => context.Output.Show(new Interrupting()));
        MigrationOutcome outcome = await new CheckpointRunner(environment).RunAsync(
            container,
            new CheckpointOptions { Path = pipe is null ? file : null, Output = pipe, IsLeftRunning = isLeftRunning },
            new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        (AgentEvent last, ExitCode code) = ArchiveView.Of(outcome, file);
        context.Output.Show(last);
        return code;
    }

    /// <summary>The console's own stream takes a closed pipe for success.</summary>
    private static FileStream OpenPipe() => new(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    private static void RefuseWhatLosesContainers(string file, bool isLeftRunning)
    {
        if (file != Pipe)
            return;
        if (!isLeftRunning)
            throw new UsageException("Nobody here can know that what goes into a pipe arrives: add --leave-running, and stop the container yourself when the archive is safe.");
        if (!Console.IsOutputRedirected)
            throw new UsageException("An archive is nothing for a terminal: name a file with -o, or put a pipe behind.");
    }
}
