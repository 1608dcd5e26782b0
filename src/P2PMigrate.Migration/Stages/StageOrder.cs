using P2PMigrate.Migration.Depots;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration.Stages;

/// <summary>Says which stage is next, where one was typed too early or too late.</summary>
// spec: DEP-25
internal static class StageOrder
{
    /// <summary>Nothing of the container is in the place.</summary>
    public static MigrationException PrepareDataIsNext(ContainerName name, IObjectStore place) => PrepareDataIsNext(name, place.Place, (place as SealedObjectStore)?.Readers ?? []);

    /// <summary>The same of a place that is to be sealed for <paramref name="readers"/>, and is not yet.</summary>
    public static MigrationException PrepareDataIsNext(ContainerName name, string place, IReadOnlyCollection<PublicIdentity> readers) => Next(
        $"There is no data of '{name}' in {place}.", "prepare-data", "at the source", $"p2pmigrate migrate {name} -s prepare-data -d {place}{For(readers)}");

    /// <summary>There is content, and no dump.</summary>
    public static MigrationException CreateDumpIsNext(ContainerName name, IObjectStore place) => Next(
        $"There is no dump of '{name}' in {place.Place} that could be restored; one that was interrupted is taken back first, by -s unfreeze.", "create-dump", "at the source",
        $"p2pmigrate migrate {name} -s create-dump -d {place.Place}{For((place as SealedObjectStore)?.Readers ?? [])}");

    /// <summary>There is content that has not been imported.</summary>
    public static MigrationException ImportDataIsNext(ContainerName name, IObjectStore place) => Next(
        $"Data of '{name}' in {place.Place} has not been imported here yet, or not all of it.", "import-data", "here",
        $"p2pmigrate migrate {name} -s import-data -d {place.Place}{(place is SealedObjectStore { SealedBy.PeerId: var sealer } ? $" --from {sealer}" : "")}");

    /// <summary>The target has claimed.</summary>
    public static MigrationException TargetHasIt(ContainerName name, JobId dump, string place) => new(
        MigrationFault.InDoubt,
        $"'{name}' stays frozen here: the target has taken its dump from {place}, and may run it. If it runs there, end the copy here: p2pmigrate resolve {dump} --keep target. "
        + $"If it does not, type restore-dump there once more; where that fails the dump is given up, and unfreeze works here.",
        dump);

    /// <summary>No target has claimed.</summary>
    public static MigrationException NobodyHasIt(ContainerName name, JobId dump, string place) => new(
        MigrationFault.WrongState,
        $"No target has taken the dump of '{name}' from {place}, so the frozen copy here is the only one, and it is kept. The next stage is restore-dump, at the target: {RestoreDump(name, place)}",
        dump);

    /// <summary>Another target has claimed.</summary>
    public static MigrationException AnotherTargetHasIt(ContainerName name, JobId dump, string place) => new(
        MigrationFault.WrongState, $"A target has taken the dump of '{name}' from {place} already: it is not restored a second time.", dump);

    /// <summary>Which one?</summary>
    public static MigrationException SeveralDumps(ContainerName name, string place, IEnumerable<JobId> dumps) => new(
        MigrationFault.WrongState,
        $"There are several dumps of '{name}' in {place} that nobody has taken ({string.Join(", ", dumps)}); it is not for us to guess. Use a place of its own for each machine's '{name}', or take back "
        + $"what is not to move: p2pmigrate migrate {name} -s unfreeze, at its source");

    /// <summary>What was frozen is there no more.</summary>
    public static MigrationException NothingIsFrozen(ContainerName name, JobId dump, string place) => new(
        MigrationFault.InDoubt,
        $"'{name}' is not frozen here any more: its processes are gone, as after a start of the machine. Its dump is in {place}, and nothing was done to it: restore it at a target, or here: {RestoreDump(name, place)}",
        dump);

    /// <summary>The source took it back.</summary>
    public static MigrationException SourceHasIt(ContainerName name, JobId dump) => new(
        MigrationFault.WrongState, $"The source has taken '{name}' back (unfreeze): it runs there, and its dump is not restored.", dump);

    /// <summary>The command for a dump that this machine made; whether it is sealed, only the place knows.</summary>
    public static string RestoreDump(ContainerName name, string place) => $"p2pmigrate migrate {name} -s restore-dump -d {place} (where it is sealed, with --from and what `p2pmigrate id` prints here)";

    private static string For(IReadOnlyCollection<PublicIdentity> readers) => string.Concat(readers.Select(reader => $" --for {KeyText.Format(reader)}"));

    private static MigrationException Next(string why, string stage, string where, string command) =>
        new(MigrationFault.WrongState, $"{why} The next stage is {stage}, {where}: {command}");
}
