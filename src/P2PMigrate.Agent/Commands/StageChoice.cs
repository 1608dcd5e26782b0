using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Places;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary>The options <c>--stage</c> and <c>--destination</c> of <c>migrate</c>, and what each stage does.</summary>
internal sealed class StageChoice
{
    private const string PrepareData = "prepare-data", ImportData = "import-data", CreateDump = "create-dump", RestoreDump = "restore-dump", Unfreeze = "unfreeze";

    /// <summary>Which stage.</summary>
    public Option<string?> Stage { get; } = Create();

    /// <summary>The place between the machines.</summary>
    public Option<string?> Destination { get; } = new("--destination", "-d")
    {
        Description = $"For a stage: {ObjectPlaces.Kinds}. unfreeze knows it by itself.",
        HelpName = "DEST",
    };

    /// <summary>Who is to read what a stage puts there.</summary>
    public SealChoice Seal { get; } = new();

    /// <summary>Who put there what a stage takes out.</summary>
    public Option<string?> From { get; } = new("--from")
    {
        Description = "For import-data and restore-dump of what was sealed: the machine that sealed it, as `p2pmigrate id` prints it there.",
        HelpName = "ID",
    };

    /// <summary>Is it a stage at whose beginning the container may stand still already?</summary>
    public bool IsAfterFreeze(ParseResult parsed) => parsed.GetValue(Stage) is ImportData or RestoreDump or Unfreeze;

    /// <summary>Refuses options that would have no effect: what a stage puts into a place is <c>--for</c> somebody, what it takes out is <c>--from</c> somebody, a migration by a ticket has no place, and what says how the container runs here is for stages that look at it.</summary>
    public void RefuseIdle(ParseResult parsed, SourceContainer source)
    {
        string? stage = parsed.GetValue(Stage);
        bool isFor = parsed.GetValue(Seal.Option) is { Length: > 0 }, isFrom = parsed.GetValue(From) is not null;
        if (stage is null && (isFor || isFrom || parsed.GetValue(Destination) is not null))
            throw new UsageException("-d, --for and --from are of a place between two machines. A migration to the peer of a ticket has none, and is sealed for that peer by itself: leave them out, or add the stage, -s.");
        if (stage is null)
            return;
        if (isFor && stage is not (PrepareData or CreateDump))
            throw new UsageException($"--for says who is to read what is put into a place, and {stage} puts nothing there: leave it out.");
        if (isFrom && stage is not (ImportData or RestoreDump))
            throw new UsageException($"--from says who sealed what is taken out of a place, and {stage} takes nothing out: leave it out.");
        if (stage is not (PrepareData or CreateDump) && source.Typed(parsed) is { } idle)
            throw new UsageException($"{idle} is of the container as it runs at the source, and {stage} does not look at that: leave it out.");
    }

    /// <summary>Carries out one stage of a migration by hand.</summary>
    public async Task<ExitCode> RunAsync(CommandContext context, MigrationEnvironment environment, string container, SourceContainer source, CancellationToken cancellationToken)
    {
        string stage = context.Parsed.GetValue(Stage)!;
        string? destination = context.Parsed.GetValue(Destination);
        if (stage == Unfreeze)
            return await UnfreezeAsync(context, environment, NameOf(container), destination, cancellationToken).ConfigureAwait(false);
        if (destination is null)
            throw new UsageException($"{stage} needs to know where the data is: add -d DEST, {ObjectPlaces.Kinds}.");
        return stage is PrepareData or CreateDump
            ? await PutAsync(context, environment, stage, ObjectPlaces.NameOf(context, destination), container, source, cancellationToken).ConfigureAwait(false)
            : await TakeAsync(context, environment, stage, ObjectPlaces.NameToTake(context, destination), NameOf(container), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A name that may be part of a path.</summary>
    public static ContainerName NameOf(string container) => ContainerName.TryParse(container, out ContainerName name)
        ? name : throw new UsageException($"'{container}' is no container that can be moved: letters, digits and _ . + - are fine, at most {ContainerName.LengthMax}.");

    private static Option<string?> Create()
    {
        var option = new Option<string?>("--stage", "-s")
        {
            Description = "One stage of a migration by hand, through the place that -d names: prepare-data (source, it runs on), import-data (target), create-dump (source, frozen from then on), "
                + "restore-dump (target), or unfreeze (source: takes it back).",
            HelpName = string.Join('|', PrepareData, ImportData, CreateDump, RestoreDump, Unfreeze),
        };
        option.AcceptOnlyFromAmong(PrepareData, ImportData, CreateDump, RestoreDump, Unfreeze);
        return option;
    }

    /// <summary>A stage at the source. What goes wrong before the place is opened changes nothing there.</summary>
    private async Task<ExitCode> PutAsync(
        CommandContext context, MigrationEnvironment environment, string stage, string destination, string container, SourceContainer source, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<PublicIdentity> readers = Seal.ReadersOf(context.Parsed, destination);
        if (stage == CreateDump && await SourcePreparation.RecoverAsync(context, environment, container, cancellationToken).ConfigureAwait(false) is { } unfinished)
            return unfinished;
        ContainerDescription description = await source.InspectAsync(context.Parsed, environment, container, cancellationToken).ConfigureAwait(false);
        if (stage == CreateDump && readers.Count > 0)
            await CreateDumpRunner.RequireDataAsync(ObjectPlaces.Open(context, destination), NameOf(container), readers, cancellationToken).ConfigureAwait(false);
        IObjectStore place = await SealChoice.OpenToWriteAsync(context, destination, readers, description, cancellationToken).ConfigureAwait(false);
        return stage == PrepareData
            ? await PushCommand.PushAsync(context, environment, place, description, cancellationToken).ConfigureAwait(false)
            : await CreateDumpAsync(context, environment, place, description, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A stage at the target.</summary>
    private async Task<ExitCode> TakeAsync(
        CommandContext context, MigrationEnvironment environment, string stage, string destination, ContainerName name, CancellationToken cancellationToken)
    {
        PeerId? from = context.Parsed.GetValue(From) is { } typed ? SealChoice.PeerOf(typed) : null;
        IObjectStore place = await SealChoice.OpenToTakeAsync(context, destination, name, from, cancellationToken).ConfigureAwait(false);
        if (from is not null && place is not SealedObjectStore)
            throw new UsageException($"What is in {place.Place} of {name} is not sealed, and so does not say from whom it is. Leave out --from if it is from where it should be.");
        return stage == ImportData
            ? await ImportAsync(context, environment, place, name, cancellationToken).ConfigureAwait(false)
            : await RestoreDumpAsync(context, environment, place, name, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ExitCode> ImportAsync(
        CommandContext context, MigrationEnvironment environment, IObjectStore place, ContainerName name, CancellationToken cancellationToken)
    {
        ContentPulled pulled = await new PullRunner(environment, place).ImportAsync(name, new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        context.Output.Show(new DataPulled(pulled.Container, pulled.Place, pulled.PulledBytes));
        return ExitCode.Done;
    }

    private static async Task<ExitCode> CreateDumpAsync(
        CommandContext context, MigrationEnvironment environment, IObjectStore place, ContainerDescription description, CancellationToken cancellationToken)
    {
        if (!await SourcePreparation.CheckAsync(environment.Runtime, description, context.Output, cancellationToken).ConfigureAwait(false))
            return ExitCode.Preflight;
        using CancellationTokenRegistration interruption = cancellationToken.Register(() => context.Output.Show(new Interrupting()));
        MigrationOutcome outcome = await new CreateDumpRunner(environment, place).RunAsync(description, JobId.Create(), new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        (AgentEvent last, ExitCode code) = StageView.OfDump(outcome, (place as SealedObjectStore)?.SealedBy.PeerId);
        context.Output.Show(last);
        return code;
    }

    private static async Task<ExitCode> RestoreDumpAsync(
        CommandContext context, MigrationEnvironment environment, IObjectStore place, ContainerName name, CancellationToken cancellationToken)
    {
        foreach (RecoveredJob job in await new JobRecovery(environment).RecoverTargetAsync(cancellationToken).ConfigureAwait(false))
            context.Output.Show(JobView.Of(job));
        using CancellationTokenRegistration interruption = cancellationToken.Register(() => context.Output.Show(new Interrupting()));
        MigrationOutcome outcome = await new RestoreDumpRunner(environment, place).RunAsync(name, new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        foreach (Finding finding in outcome is Migration.MigrationFailed failed ? failed.Findings : [])
            context.Output.Show(MigrationView.Of(finding, "here"));
        (AgentEvent last, ExitCode code) = StageView.OfRestore(outcome);
        context.Output.Show(last);
        return code;
    }

    private static async Task<ExitCode> UnfreezeAsync(
        CommandContext context, MigrationEnvironment environment, ContainerName name, string? destination, CancellationToken cancellationToken)
    {
        // A directory that was carried may be mounted elsewhere now, and a ticket has expired.
        if (destination is not null)
        {
            string place = ObjectPlaces.NameOf(context, destination);
            environment = environment with { OpenPlace = _ => new UnsealingPlace(context, place) };
        }

        try
        {
            RecoveredJob job = await new UnfreezeRunner(environment).RunAsync(name, cancellationToken).ConfigureAwait(false);
            context.Output.Show(JobView.Of(job));
            return JobView.CodeOf(job);
        }
        catch (PlaceException refused)
        {
            context.Output.Show(new Output.MigrationFailed($"'{name}' stays frozen here, because the place of its dump cannot be asked whether the target has it. {refused.Message}", "none")
            {
                Remedy = $"Make the place reachable and type the same again, with -d where it is elsewhere now. If it is lost for good: p2pmigrate resolve JOB --keep source --place-is-lost; JOB is listed by: p2pmigrate jobs",
            });
            return ExitCode.InDoubt;
        }
    }
}
