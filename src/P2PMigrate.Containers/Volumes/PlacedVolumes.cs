using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Volumes;

/// <summary>At the target: volumes that came along in the root file system.</summary>
internal static class PlacedVolumes
{
    /// <summary>The configuration with their sources as they are here; null where there are none. Throws <see cref="ContainerException"/> when one is not there as a directory or file itself.</summary>
    // spec: MIG-186
    public static byte[]? In(IVolumeConfiguration configuration, string rootPath)
    {
        BindMount[] along = [.. configuration.BindMounts.Where(mount => mount.GoesAlong).DistinctBy(mount => mount.Destination)];
        if (along.Length == 0) return null;
        using var root = new RootedFile(rootPath);
        foreach (BindMount mount in along.Where(mount => mount.Within is not { } within || root.Look(within, followsLinks: false) is not ({ IsDirectory: true } or { IsRegular: true })))
            throw new ContainerException($"The volume {mount.Path} should have come along, as {mount.Source}, and has not.");
        return configuration.WithSources(along.ToDictionary(mount => mount.Destination, mount => Path.Combine(rootPath, mount.Within!)));
    }
}
