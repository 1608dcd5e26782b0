using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate push CONTAINER DEST</c>: what a running container's files hold into a place, from which another machine takes it.</summary>
internal sealed class PushCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();

    private readonly Argument<string> _container = new("CONTAINER") { Description = "The running container, as its runtime calls it." };

    private readonly Argument<string> _destination = new("DEST") { Description = $"Where: {ObjectPlaces.Kinds}." };

    private readonly SealChoice _seal = new();

    private readonly SourceContainer _source = new();

    public PushCommand()
        : base("push", "Puts the files of a running container into a place, as far as they are not there yet; nothing is stopped.")
    {
        Arguments.Add(_container);
        Arguments.Add(_destination);
        Options.Add(_runtime.Option);
        foreach (Option option in _source.Options)
            Options.Add(option);
        Options.Add(_seal.Option);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    protected override ExitCode Interrupt(IOutput output)
    {
        output.Show(new Output.MigrationFailed("Interrupted; what is in the place by now is not sent again.", "source"));
        return ExitCode.RunsAtSource;
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _runtime.Environment(context);
        string destination = ObjectPlaces.NameOf(context, context.Parsed.GetValue(_destination)!);
        IReadOnlyCollection<PublicIdentity> readers = _seal.ReadersOf(context.Parsed, destination);
        ContainerDescription description = await _source.InspectAsync(context.Parsed, environment, context.Parsed.GetValue(_container)!, cancellationToken).ConfigureAwait(false);
        IObjectStore place = await SealChoice.OpenToWriteAsync(context, destination, readers, description, cancellationToken).ConfigureAwait(false);
        return await PushAsync(context, environment, place, description, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The stage <c>prepare-data</c> is this.</summary>
    public static async Task<ExitCode> PushAsync(
        CommandContext context, MigrationEnvironment environment, IObjectStore place, ContainerDescription description, CancellationToken cancellationToken)
    {
        ContentPushed pushed = await new PushRunner(environment, place).RunAsync(description, new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        context.Output.Show(new DataPushed(pushed.Container, pushed.Place, pushed.PushedBytes, pushed.KnownBytes));
        return ExitCode.Done;
    }
}
