using System.Globalization;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Volumes;

/// <summary>What a container sees below its root, mounts and all, from its first process's own root.</summary>
internal sealed class ContainerView : IDisposable
{
    private static readonly string[] s_ofTheKernel = ["/proc", "/sys", "/dev"];

    private readonly RootedFile _root;
    private readonly HashSet<string> _mountPoints;

    /// <summary>Throws <see cref="ContainerException"/> when it has ended.</summary>
    public ContainerView(ContainerDescription container)
    {
        string pid = container.InitPid.ToString(CultureInfo.InvariantCulture);
        Path = $"/proc/{pid}/root";
        try
        {
            _mountPoints = [.. Mount.Of(pid).Select(mount => mount.MountPoint)];
            _root = new RootedFile(Path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or ContainerException)
        {
            throw new ContainerException($"The container {container.Name} has ended meanwhile.", inner: gone);
        }
    }

    /// <summary>The directory below which all of it is.</summary>
    public string Path { get; }

    /// <summary>What is at a path, through no symbolic link.</summary>
    public FileFacts? Look(string path) => _root.Look(path, followsLinks: false);

    /// <summary>Is something mounted below <paramref name="outer"/> on the way to <paramref name="inner"/>, that included?</summary>
    public bool HasMountBetween(string outer, string inner) =>
        _mountPoints.Any(point => VolumePlacement.TreeBelow(point, outer) is { Length: > 0 } && VolumePlacement.TreeBelow(inner, point) is not null);

    /// <summary>Why this cannot go along, as what follows "it"; null when it can.</summary>
    public string? WhyNot(VolumePlacement.Volume volume) =>
        s_ofTheKernel.Any(kernel => VolumePlacement.TreeBelow(volume.Place, kernel) is not null) ? $"is {volume.Place}, which belongs to this machine's kernel"
        : volume.Mount.MapsOwners ? "has its owners mapped (idmap)"
        : !_mountPoints.Contains(volume.Path) ? "is not mounted there, as the container sees it; where a symbolic link leads there, its configuration must name the place itself"
        : Look(volume.Path) is { IsRegular: true } or { IsDirectory: true } ? null : "is neither a directory nor a regular file";

    public void Dispose() => _root.Dispose();
}
