using P2PMigrate.Migration.Archives;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Stages;

/// <summary>May a container's data lie there?</summary>
// spec: DEP-26
public static class PlaceCheck
{
    /// <summary>Throws <see cref="MigrationException"/> for a place that goes with the container or belongs to the state directory, and for one that a journal cannot remember.</summary>
    public static void RefuseIfDoomed(StateDirectory state, ContainerDescription container, string place)
    {
        if (place.Length > JournalHead.PlaceLengthMax)
            throw new MigrationException(MigrationFault.WrongState, $"{place[..40]}… is too long for the name of a place: at most {JournalHead.PlaceLengthMax} characters.");
        RefuseIfBelow(place, container.BundlePath, container.RootPath, state.Root);
    }

    /// <summary>The same for a place that is kept for others: of containers that have not come yet.</summary>
    public static void RefuseIfDoomed(StateDirectory state, string place) => RefuseIfBelow(place, state.Root);

    private static void RefuseIfBelow(string place, params string[] doomed)
    {
        if (Path.IsPathRooted(place) && doomed.FirstOrDefault(directory => ArchiveFile.IsBelow(place + "/x", directory)) is { } grave)
            throw new MigrationException(MigrationFault.WrongState, $"{place} is below {grave}, which belongs to the container or to p2pmigrate itself; choose a place elsewhere.");
    }
}
