using System.Globalization;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Containers.Volumes;

/// <summary>
/// At the source: volumes get their places in the root file system that goes to the target, each at its own mount point. What is in one of them under two mount points stays one. They are read as the
/// container sees them, so that nothing depends on what has become of their names on the machine.
/// </summary>
// spec: MIG-186
internal sealed class VolumePlacement
{
    private static readonly string[] s_ofTheKernel = ["/proc", "/sys", "/dev"];

    private readonly ContainerDescription _container;
    private readonly string _view;
    private readonly HashSet<string> _mountPoints;
    private readonly List<(string Place, TreeGraft Graft)> _copied = [];
    private readonly List<TreeGraft> _hollow = [];
    private readonly Dictionary<string, string> _sources = [];

    private VolumePlacement(ContainerDescription container)
    {
        _container = container;
        string pid = container.InitPid.ToString(CultureInfo.InvariantCulture);
        _view = $"/proc/{pid}/root";
        _mountPoints = [.. Mount.Of(pid).Select(mount => mount.MountPoint)];
    }

    /// <summary>The container with its volumes treated as <paramref name="choice"/> says. Throws <see cref="ContainerException"/> for what cannot be.</summary>
    public static ContainerDescription Place(ContainerDescription container, IVolumeConfiguration? configuration, VolumeChoice choice)
    {
        IReadOnlyList<BindMount> mounts = configuration?.BindMounts ?? [];
        RequireKnown(container, mounts, choice);
        if (configuration is null || mounts.Count == 0) return container;
        var placement = new VolumePlacement(container);
        foreach ((BindMount mount, string place) in mounts.Select(mount => (mount, placement.PlaceOf(mount))).OrderBy(pair => pair.Item2.Length).ThenBy(pair => pair.mount.Path, StringComparer.Ordinal)) // what has another in it comes first
        {
            placement.Add(mount, place, choice.Of(mount.Path), choice.Named.ContainsKey(mount.Path));
        }

        TreeGraft[] grafts = [.. placement._copied.Select(copied => copied.Graft), .. placement._hollow];
        placement.RequirePlaces(grafts);
        return placement._sources.Count == 0 ? container : container with { Configuration = configuration.WithSources(placement._sources), Volumes = grafts };
    }

    /// <summary>At the target: the configuration with the sources that go along where they are here; null where there are none. Throws <see cref="ContainerException"/> when one of them is not there.</summary>
    public static byte[]? Restored(IVolumeConfiguration configuration, string rootPath)
    {
        BindMount[] along = [.. configuration.BindMounts.Where(mount => mount.GoesAlong)];
        if (along.Length == 0) return null;
        using var root = new RootedFile(rootPath);
        foreach (BindMount mount in along.Where(mount => mount.Within is not { } within || root.Look(within, followsLinks: false) is null))
            throw new ContainerException($"{mount.Path} should be in the root file system, at {mount.Source}, and is not.");
        return configuration.WithSources(along.DistinctBy(mount => mount.Destination).ToDictionary(mount => mount.Destination, mount => Path.Combine(rootPath, mount.Within!)));
    }

    private static void RequireKnown(ContainerDescription container, IReadOnlyList<BindMount> mounts, VolumeChoice choice)
    {
        if (choice.Named.Keys.Except(mounts.Select(mount => mount.Path)).FirstOrDefault() is not { } unknown) return;
        throw new ContainerException(mounts.Count == 0 ? $"{container.Name} has no volumes, and so none at {unknown}."
            : $"{container.Name} has no volume at {unknown}; it has {string.Join(", ", mounts.Select(mount => mount.Path).Distinct().Order(StringComparer.Ordinal))}.");
    }

    /// <summary>Where a volume is on this machine, no symbolic link left in it where it is there at all.</summary>
    private string PlaceOf(BindMount mount) => ResolvedPath.Of(Path.GetFullPath(mount.Source, _container.BundlePath));

    private void Add(BindMount mount, string place, VolumePolicy policy, bool isNamed)
    {
        if (policy == VolumePolicy.Skip)
        {
            if (CanGo(mount, place, isNamed)) Graft(mount, graft => _hollow.Add(graft), isHollow: true);
        }
        else if (Below(place, ResolvedPath.Of(_container.RootPath)) is { Length: > 0 } inside)
        {
            _sources[mount.Destination] = BindMount.RootFileSystem + inside; // it goes along anyway
        }
        else if (policy == VolumePolicy.Expect)
        {
            if (!Path.IsPathRooted(mount.Source)) _sources[mount.Destination] = place;
        }
        else if (_copied.Select(copied => (copied.Graft.Path, Inside: Below(place, copied.Place))).FirstOrDefault(pair => pair.Inside is not null) is { Inside: { } rest } other)
        {
            _sources[mount.Destination] = $"{BindMount.RootFileSystem}{other.Path[1..]}{(rest.Length > 0 ? "/" : "")}{rest}";
        }
        else if (CanGo(mount, place, isNamed))
        {
            Graft(mount, graft => _copied.Add((place, graft)), isHollow: false);
        }
    }

    private void Graft(BindMount mount, Action<TreeGraft> add, bool isHollow)
    {
        add(new TreeGraft(TreePath.Parse(mount.Path[1..]), _view + mount.Path, isHollow));
        _sources[mount.Destination] = BindMount.RootFileSystem + mount.Path[1..];
    }

    /// <summary>Is it something that can go along? Of those that were not named, what cannot is left to the target.</summary>
    private bool CanGo(BindMount mount, string place, bool isNamed)
    {
        string? reason = s_ofTheKernel.Any(kernel => Below(place, kernel) is not null) ? $"is {place}, which belongs to this machine's kernel"
            : !_mountPoints.Contains(mount.Path) ? "is not mounted there, as the container sees it; where a symbolic link leads there, its configuration must name the place itself"
            : !IsDirectoryOrFile(mount.Path) ? "is neither a directory nor a regular file" : null;
        if (reason is not null && isNamed) throw Refusal(mount.Path, reason);
        return reason is null;
    }

    private bool IsDirectoryOrFile(string path)
    {
        using var view = new RootedFile(_view);
        return view.Look(path, followsLinks: false) is { IsRegular: true } or { IsDirectory: true };
    }

    /// <summary>A mount point in a file system that is not part of the tree, as a tmpfs is, is nowhere in the tree.</summary>
    private void RequirePlaces(IReadOnlyList<TreeGraft> grafts)
    {
        using var root = new RootedFile(_container.RootPath);
        foreach (TreeGraft graft in grafts)
        {
            bool isInAnother = grafts.Any(other => Below(graft.Path, other.Path) is { Length: > 0 });
            if (!isInAnother && root.Look(graft.Path, followsLinks: false) is null) throw Refusal(graft.Path, "is mounted in a file system that does not move itself, such as a tmpfs, so that there is no place for it in the root file system");
        }
    }

    private ContainerException Refusal(string path, string reason) =>
        new($"The volume {path} of {_container.Name} cannot go along: it {reason}. Provide it on the target: --volume {path}=expect");

    /// <summary>What is left of <paramref name="path"/> below <paramref name="directory"/>, nothing when it is that itself, null when it is elsewhere.</summary>
    private static string? Below(string path, string directory) =>
        path == directory ? "" : path.StartsWith(directory + "/", StringComparison.Ordinal) ? path[(directory.Length + 1)..] : null;
}
