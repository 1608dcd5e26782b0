using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Reception;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Stages;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate receive</c>: prints a ticket and takes in the containers of whoever holds it.</summary>
internal sealed class ReceiveCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();
    private readonly StoreChoice _store = new();
    private readonly Option<string?> _listen = PeerAddressing.ListenOption();

    private readonly Option<string?> _rendezvous = new("--rendezvous")
    {
        Description = "The server through which the other side finds this one; without it only peers that can reach this machine directly.",
        HelpName = "HOST:PORT",
    };

    private readonly Option<bool> _once = new("--once") { Description = "End after the first migration; its result is the exit code." };

    private readonly Option<string?> _ticketFile = new("--ticket-file")
    {
        Description = "Write the ticket there too (readable by its owner only), and each later one in its place.",
        HelpName = "FILE",
    };

    private readonly Option<string> _lifetime = new("--ticket-lifetime")
    {
        Description = "How long a ticket admits somebody: seconds, or a number with s, m or h.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "24h",
    };

    private readonly Option<string?> _place = new("--place")
    {
        Description = "Keep a place for stages: at the source, -s prepare-data and -s create-dump with the ticket for -d put a container's data into this directory, through the tunnel; here the stages take it out.",
        HelpName = "DIR",
    };

    public ReceiveCommand()
        : base("receive", "Prints a ticket and takes in the container of whoever holds it.")
    {
        Options.Add(_rendezvous);
        Options.Add(_once);
        Options.Add(_ticketFile);
        Options.Add(_lifetime);
        Options.Add(_place);
        Options.Add(_runtime.Option);
        Options.Add(_store.Option);
        Options.Add(_listen);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        MigrationEnvironment environment = _store.Apply(context.Parsed, _runtime.Environment(context));
        TimeSpan lifetime = PeerAddressing.Duration(context.Parsed.GetValue(_lifetime)!);
        using var sole = SoleReceiver.Take(context.State.Root);
        string? directory = DirectoryOf(context);
        RecoveredJob[] found = await RecoverAsync(environment, context.Output, cancellationToken).ConfigureAwait(false); // by the place that was kept before
        if (directory is not null)
            Keep(context, directory);

        await using PeerConnection peer = await PeerConnection.OpenForMigrationAsync(
            context, PeerAddressing.Server(context.Parsed.GetValue(_rendezvous)), context.Parsed.GetValue(_listen), cancellationToken).ConfigureAwait(false);
        await peer.Endpoint.WaitRegisteredAsync(cancellationToken).ConfigureAwait(false);
        await using var tickets = new TicketDesk(peer.Endpoint, new TicketFile(context.State.Root), lifetime, context.Parsed.GetValue(_ticketFile), context.Output);
        await using var late = LateWatch.Start(environment, found, context.Output);
        await using var doubts = DoubtWatch.Start(environment, peer.Endpoint, context.Output);
        using var places = new PlaceDesk(directory is null ? null : ServerOf(directory), tickets, context.Output);
        using var reception = new ContainerReception(environment, peer.Endpoint, (tickets, places), context.Output, context.Parsed.GetValue(_once));
        return await reception.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The directory for the data of stages, if one is kept. It is never made, as whoever typed it may have forgotten to mount it.</summary>
    // spec: DEP-26
    private string? DirectoryOf(CommandContext context)
    {
        if (context.Parsed.GetValue(_place) is not { } typed)
            return null;
        string directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(typed));
        if (!Directory.Exists(directory))
            throw new UsageException($"The directory {directory} is not there: mount it, or make it.");
        PlaceCheck.RefuseIfDoomed(context.State, directory);
        return directory;
    }

    /// <summary>A stage that is unfinished knows the place that was kept when it began by the name of this peer.</summary>
    private static void Keep(CommandContext context, string directory)
    {
        var places = new KnownPlaces(context.State);
        if (places.TryFindOwn() is { } before && before != directory && JobList.Read(context.State).FirstOrDefault(job => job.Peer == ObjectPlaces.DirectoryName(context)) is { } waiting)
            throw new UsageException($"The stage of '{waiting.Container}' that is unfinished here has its data in {before}: make that reachable and end the stage first (p2pmigrate jobs), or keep {before}.");
        places.KeepOwn(directory);
    }

    private static PlaceServer ServerOf(string directory) => new(new DirectoryObjectStore(directory), () => new DriveInfo(directory).AvailableFreeSpace);

    /// <summary>Of jobs of either role: this may be the program that is started when the machine is.</summary>
    private static async Task<RecoveredJob[]> RecoverAsync(MigrationEnvironment environment, IOutput output, CancellationToken cancellationToken)
    {
        var recovery = new JobRecovery(environment);
        RecoveredJob[] jobs =
        [
            .. await recovery.RecoverTargetAsync(cancellationToken).ConfigureAwait(false),
            .. await recovery.RecoverSourceAsync(container: null, cancellationToken).ConfigureAwait(false),
        ];
        foreach (RecoveredJob job in jobs.DistinctBy(job => job.JobId))
            output.Show(JobView.Of(job));
        return jobs;
    }
}
