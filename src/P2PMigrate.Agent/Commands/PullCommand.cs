using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate pull CONTAINER DEST</c>: what a place has of a container's files into the content store, so that a migration brings only the rest.</summary>
internal sealed class PullCommand : AgentCommand
{
    private readonly StoreChoice _store = new();
    private readonly RuntimeChoice _runtime = new();

    private readonly Argument<string> _container = new("CONTAINER") { Description = "The container's name at the machine that pushed." };

    private readonly Argument<string> _destination = new("DEST") { Description = $"Where: {ObjectPlaces.Kinds}." };

    private readonly Option<string> _from = new("--from")
    {
        Description = "The peer from which the container will come, as `p2pmigrate id` prints it there: what is pulled counts as content of that peer.",
        HelpName = "ID",
        Required = true,
    };

    public PullCommand()
        : base("pull", "Takes the files of a container out of a place, so that its migration to here sends only what has changed since; nothing is run.")
    {
        Arguments.Add(_container);
        Arguments.Add(_destination);
        Options.Add(_from);
        Options.Add(_runtime.Option);
        Options.Add(_store.Option);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _store.Apply(context.Parsed, _runtime.Environment(context));
        string destination = ObjectPlaces.NameToTake(context, context.Parsed.GetValue(_destination)!);
        ContainerName container = StageChoice.NameOf(context.Parsed.GetValue(_container)!);
        PeerId peer = SealChoice.PeerOf(context.Parsed.GetValue(_from)!);
        IObjectStore place = await SealChoice.OpenToTakeAsync(context, destination, container, peer, cancellationToken).ConfigureAwait(false);
        ContentPulled pulled = await new PullRunner(environment, place).PullAsync(
            container, peer.ToString(), new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        context.Output.Show(new DataPulled(pulled.Container, pulled.Place, pulled.PulledBytes));
        return ExitCode.Done;
    }
}
