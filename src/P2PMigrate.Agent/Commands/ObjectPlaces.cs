using P2PMigrate.Agent.Places;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Commands;

/// <summary>What a user types for a place: a directory, or a bucket.</summary>
internal static class ObjectPlaces
{
    /// <summary>Opens the place; nothing is made or asked yet.</summary>
    public static IObjectStore Open(string place)
    {
        if (place.StartsWith(S3Location.Scheme, StringComparison.Ordinal))
            return new S3ObjectStore(S3Location.Of(place, Environment.GetEnvironmentVariable));
        if (string.IsNullOrWhiteSpace(place) || place.Contains("://", StringComparison.Ordinal))
            throw new UsageException($"'{place}' is no place that this version knows: type the path of a directory that both machines see, or that somebody carries, or s3://BUCKET/PREFIX.");
        return new DirectoryObjectStore(place);
    }
}
