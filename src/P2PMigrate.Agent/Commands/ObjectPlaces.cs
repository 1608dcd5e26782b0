using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Commands;

/// <summary>What a user types for a place: a directory.</summary>
internal static class ObjectPlaces
{
    /// <summary>Opens the place; nothing is made or asked yet.</summary>
    public static IObjectStore Open(string place)
    {
        if (string.IsNullOrWhiteSpace(place) || place.Contains("://", StringComparison.Ordinal))
            throw new UsageException($"'{place}' is no place that this version knows: type the path of a directory that both machines see, or that somebody carries.");
        return new DirectoryObjectStore(place);
    }
}
