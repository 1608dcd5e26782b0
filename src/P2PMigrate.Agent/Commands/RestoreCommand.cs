using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate restore FILE</c>: runs the container of an archive on this machine.</summary>
internal sealed class RestoreCommand : AgentCommand
{
    private const string Pipe = "-";

    private readonly RuntimeChoice _runtime = new();
    private readonly StoreChoice _store = new();

    private readonly Argument<string> _file = new("FILE") { Description = "An archive of `p2pmigrate checkpoint`, or a file of `podman container checkpoint --export`; - reads one of p2pmigrate from standard input." };

    public RestoreCommand()
        : base("restore", "Runs the container of an archive here, where its memory left off.")
    {
        Arguments.Add(_file);
        Options.Add(_runtime.Option);
        Options.Add(_store.Option);
    }

    protected override bool ConcernsContainer => false;

    protected override ExitCode Interrupt(IOutput output)
    {
        output.Show(new Output.MigrationFailed("Interrupted before anything was restored.", "none"));
        return ExitCode.NotRestored;
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _store.Apply(context.Parsed, _runtime.Environment(context));
        string file = context.Parsed.GetValue(_file)!;
        await using Stream archive = Open(file);
        if (await IsOfPodmanAsync(archive, cancellationToken).ConfigureAwait(false))
            return await new PodmanRestoration(_runtime.RequirePodman(context), environment.State, context.Output).RunAsync(file, cancellationToken).ConfigureAwait(false);
        foreach (RecoveredJob job in await new JobRecovery(environment).RecoverTargetAsync(cancellationToken).ConfigureAwait(false))
            context.Output.Show(JobView.Of(job));
        using CancellationTokenRegistration interruption = cancellationToken.Register(() => context.Output.Show(new Interrupting()));
        MigrationOutcome outcome = await new RestoreRunner(environment).RunAsync(
            archive, JobId.Create(), new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        foreach (Migration.Runtime.Finding finding in outcome is Migration.MigrationFailed failed ? failed.Findings : [])
            context.Output.Show(MigrationView.Of(finding, "here"));
        (AgentEvent last, ExitCode code) = ArchiveView.Of(outcome);
        context.Output.Show(last);
        return code;
    }

    /// <summary>A pipe cannot be looked into and read again; what Podman has written does not come through one.</summary>
    private static async Task<bool> IsOfPodmanAsync(Stream archive, CancellationToken cancellationToken)
    {
        if (!archive.CanSeek)
            return false;
        byte[] head = new byte[PodmanImport.HeadLength];
        int length = await archive.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        archive.Position = 0;
        return PodmanImport.Recognizes(head.AsSpan(0, length));
    }

    private static Stream Open(string file)
    {
        if (file == Pipe)
            return Console.OpenStandardInput();
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"The archive {file} cannot be read: {exception.Message}", exception);
        }
    }
}
