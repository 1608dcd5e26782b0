namespace P2PMigrate.Migration.Stages;

/// <summary>Says which stage is next, where one was typed too early or too late.</summary>
// spec: DEP-25
internal static class StageOrder
{
    /// <summary>Nothing of the container is in the place.</summary>
    public static MigrationException PrepareDataIsNext(ContainerName name, string place) => Next(
        $"There is no data of '{name}' in {place}.", "prepare-data", "at the source", $"p2pmigrate migrate {name} -s prepare-data -d {place}");

    /// <summary>There is content, and no dump.</summary>
    public static MigrationException CreateDumpIsNext(ContainerName name, string place) => Next(
        $"There is no dump of '{name}' in {place} that could be restored.", "create-dump", "at the source", $"p2pmigrate migrate {name} -s create-dump -d {place}");

    /// <summary>There is content that has not been imported.</summary>
    public static MigrationException ImportDataIsNext(ContainerName name, string place) => Next(
        $"Data of '{name}' in {place} has not been imported here yet, or not all of it.", "import-data", "here", $"p2pmigrate migrate {name} -s import-data -d {place}");

    /// <summary>The target has claimed.</summary>
    public static MigrationException TargetHasIt(ContainerName name, JobId dump, string place) => new(
        MigrationFault.InDoubt,
        $"'{name}' stays frozen here: the target has taken its dump from {place}, and may run it. If it runs there, end the copy here: p2pmigrate resolve {dump} --keep target. "
        + $"If it does not, and nobody will restore it any more: p2pmigrate resolve {dump} --keep source",
        dump);

    /// <summary>The source took it back.</summary>
    public static MigrationException SourceHasIt(ContainerName name, JobId dump) => new(
        MigrationFault.WrongState, $"The source has taken '{name}' back (unfreeze): it runs there, and its dump is not restored.", dump);

    private static MigrationException Next(string why, string stage, string where, string command) =>
        new(MigrationFault.WrongState, $"{why} The next stage is {stage}, {where}: {command}");
}
