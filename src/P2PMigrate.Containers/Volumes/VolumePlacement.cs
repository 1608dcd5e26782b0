using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Containers.Volumes;

/// <summary>
/// At the source: volumes get their places in the root file system that goes to the target, each at its own mount point; one that is part of what goes along anyway is that part, so that what was one
/// stays one. They are looked at as the container sees them: what has become of their names on the machine does not count.
/// </summary>
// spec: MIG-186
internal sealed class VolumePlacement : IDisposable
{
    private readonly ContainerDescription _container;
    private readonly string _rootPlace;
    private readonly List<Volume> _volumes;
    private readonly ContainerView _view;
    private readonly List<Volume> _going = [];
    private readonly HashSet<Volume> _homeless = [];
    private readonly Dictionary<Volume, (Volume Outer, string Inside)> _parts = [];

    private VolumePlacement(ContainerDescription container, IReadOnlyList<BindMount> mounts, VolumeChoice choice)
    {
        _container = container;
        _rootPlace = ResolvedPath.Of(container.RootPath);
        _volumes = [.. mounts.DistinctBy(mount => mount.Destination).Select(mount => new Volume(mount, ResolvedPath.Of(Path.GetFullPath(mount.Source, container.BundlePath)), choice))];
        _view = new ContainerView(container);
    }

    /// <summary>The container with its volumes treated as <paramref name="choice"/> says. Throws <see cref="ContainerException"/> for what cannot be.</summary>
    public static ContainerDescription Place(ContainerDescription container, IVolumeConfiguration? configuration, VolumeChoice choice)
    {
        IReadOnlyList<BindMount> mounts = configuration?.BindMounts ?? [];
        RequireKnown(container, mounts, choice);
        if (configuration is null || mounts.Count == 0) return container;
        using var placement = new VolumePlacement(container, mounts, choice);
        do placement.Choose();
        while (placement.FindHomeless());
        Dictionary<string, string> sources = placement._volumes.Select(volume => (volume.Mount.Destination, Source: placement.SourceOf(volume))).Where(pair => pair.Source is not null)
            .ToDictionary(pair => pair.Destination, pair => pair.Source!);
        return sources.Count == 0 ? container : container with { Configuration = configuration.WithSources(sources), Volumes = [.. placement._going.Select(placement.GraftOf)] };
    }

    public void Dispose() => _view.Dispose();

    private static void RequireKnown(ContainerDescription container, IReadOnlyList<BindMount> mounts, VolumeChoice choice)
    {
        if (choice.Named.Keys.Except(mounts.Select(mount => mount.Path)).FirstOrDefault() is not { } unknown) return;
        throw new ContainerException(mounts.Count == 0 ? $"{container.Name} has no volumes, and so none at {unknown}."
            : $"{container.Name} has no volume at {unknown}; it has {string.Join(", ", mounts.Select(mount => mount.Path).Distinct().Order(StringComparer.Ordinal))}.");
    }

    /// <summary>Which are to go along by themselves, and which as part of another. What others are part of comes first.</summary>
    private void Choose()
    {
        _going.Clear();
        _parts.Clear();
        foreach (Volume volume in _volumes.Where(volume => volume.Policy != VolumePolicy.Expect).OrderBy(_homeless.Contains).ThenBy(volume => volume.Place.Length).ThenBy(volume => volume.Path, StringComparer.Ordinal))
        {
            if (volume.Policy == VolumePolicy.Copy && IsPartOfRoot(volume)) continue;
            if (volume.Policy == VolumePolicy.Copy && OuterOf(volume) is { } outer) _parts.Add(volume, outer);
            else if (WhyNot(volume) is not { } reason) _going.Add(volume);
            else if (volume.IsNamed) throw Refusal(volume, reason);
        }
    }

    private string? WhyNot(Volume volume) => _homeless.Contains(volume)
        ? "is mounted where there is no place for it in what goes along, such as on a tmpfs or in a volume that is to be empty" : _view.WhyNot(volume);

    /// <summary>Are there any among those chosen whose mount point is nowhere in the tree? Then all must be chosen anew: others may be part of them.</summary>
    private bool FindHomeless()
    {
        int known = _homeless.Count;
        foreach (Volume volume in _going)
        {
            Volume? around = _going.Where(other => other != volume && TreeBelow(volume.Path, other.Path) is not null).MaxBy(other => other.Path.Length);
            bool hasPlace = around is null ? HasPlaceInRoot(volume) : around.Policy == VolumePolicy.Copy && !_view.HasMountBetween(around.Path, Path.GetDirectoryName(volume.Path)!);
            if (!hasPlace) _homeless.Add(volume);
        }

        return _homeless.Count > known;
    }

    private bool HasPlaceInRoot(Volume volume)
    {
        using var root = new RootedFile(_container.RootPath);
        return root.Look(volume.Path, followsLinks: false) is not null;
    }

    /// <summary>Its new source; null when that stays as it is written.</summary>
    private string? SourceOf(Volume volume)
    {
        if (_going.Contains(volume)) return BindMount.Along + volume.Path[1..];
        if (_parts.TryGetValue(volume, out (Volume Outer, string Inside) part)) return BindMount.Along + Path.Combine(part.Outer.Path[1..], part.Inside);
        if (IsPartOfRoot(volume)) return BindMount.Along + TreeBelow(volume.Place, _rootPlace);
        return Path.IsPathRooted(volume.Mount.Source) ? null : volume.Place;
    }

    /// <summary>Is it something of the root file system itself, that is in the tree under that name?</summary>
    private bool IsPartOfRoot(Volume volume)
    {
        if (TreeBelow(volume.Place, _rootPlace) is not { Length: > 0 } inside || _view.Look(volume.Path) is not { } seen) return false;
        using var root = new RootedFile(_container.RootPath);
        return root.Look(inside, followsLinks: false)?.IsSame(seen) == true
            && _volumes.All(other => TreeBelow("/" + inside, other.Path) is null || other.Place == _rootPlace + other.Path);
    }

    /// <summary>The one that goes along with its content, which this is, or is something in.</summary>
    private (Volume Outer, string Inside)? OuterOf(Volume volume)
    {
        foreach (Volume outer in _going.Where(outer => outer.Policy == VolumePolicy.Copy))
        {
            if (TreeBelow(volume.Place, outer.Place) is not { } rest) continue;
            string there = rest.Length == 0 ? outer.Path : $"{outer.Path}/{rest}";
            if (!_view.HasMountBetween(outer.Path, there) && _view.Look(volume.Path) is { } seen && _view.Look(there)?.IsSame(seen) == true) return (outer, rest);
        }

        return null;
    }

    private TreeGraft GraftOf(Volume volume)
    {
        try
        {
            return TreeGraft.Of(TreePath.Parse(volume.Path[1..]), _view.Path, volume.Policy == VolumePolicy.Skip);
        }
        catch (SnapshotException gone)
        {
            throw Refusal(volume, $"is not to be had as the container sees it ({gone.Message.TrimEnd('.')})");
        }
    }

    private ContainerException Refusal(Volume volume, string reason) =>
        new($"The volume {volume.Path} of {_container.Name} cannot go along: it {reason}. Provide it on the target, and leave it to that: --volume {volume.Path}=expect");

    /// <summary>What is left of <paramref name="path"/> below <paramref name="directory"/>, nothing when it is that itself, null when it is elsewhere.</summary>
    internal static string? TreeBelow(string path, string directory) =>
        path == directory ? "" : path.StartsWith(directory + "/", StringComparison.Ordinal) ? path[(directory.Length + 1)..] : null;

    /// <summary>A bind mount, where it is on this machine, and what is to become of it.</summary>
    internal sealed class Volume(BindMount mount, string place, VolumeChoice choice)
    {
        public BindMount Mount => mount;

        public string Path { get; } = mount.Path;

        /// <summary>Where it is, no symbolic link left in it where it is there at all.</summary>
        public string Place => place;

        public VolumePolicy Policy { get; } = choice.Of(mount.Path);

        /// <summary>Does the user speak of this one?</summary>
        public bool IsNamed { get; } = choice.Named.ContainsKey(mount.Path);
    }
}
