using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>
/// The cgroup of a process tree. Whoever started the processes has put them somewhere, mostly together with others; to be frozen they are gathered in a cgroup of their own
/// below that place, so that its limits hold and who owns it ends them with it. One that came here from a peer lives in a cgroup that says where its bundle is.
/// </summary>
// spec: MIG-197
internal static class TreeCgroup
{
    private const string Prefix = "p2pmigrate-";
    private const string BundleAttribute = "user.p2pmigrate.bundle";
    private const int PassesMax = 100;

    /// <summary>Gathers the tree, unless it is alone where it is. Throws when it forks faster than it can be gathered; then it is scattered again.</summary>
    public static Cgroup Gather(ProcessTree tree)
    {
        Cgroup place = Cgroup.Of(tree.First);
        if (IsAlone(place, tree)) return place;
        var own = new Cgroup(Path.Combine(place.Path, Prefix + tree.Name));
        Directory.CreateDirectory(own.Path);
        for (int passes = 0; passes < PassesMax; passes++)
        {
            HashSet<int> inside = [.. own.Pids()];
            int[] outside = [.. tree.Pids().Where(pid => !inside.Contains(pid) && ProcessIdentity.Of(pid) is { IsAlive: true })]; // a zombie is in none
            if (outside.Length == 0) return own;
            foreach (int pid in outside) own.Take(pid);
        }

        Scatter(own);
        throw new ContainerException($"The processes of {tree.Name} begin and end so fast that they cannot be gathered in one cgroup ({own.Path}); try again when they are calmer.");
    }

    /// <summary>Puts back what <see cref="Gather"/> has gathered, and removes the cgroup. Does nothing to one that it has not made.</summary>
    public static void Scatter(Cgroup cgroup)
    {
        if (!IsOurs(cgroup) || BundleOf(cgroup) is not null) return;
        var place = new Cgroup(Path.GetDirectoryName(cgroup.Path)!);
        for (int passes = 0; passes < PassesMax && cgroup.Exists; passes++)
        {
            foreach (int pid in cgroup.Pids()) place.Take(pid);
            cgroup.Remove();
        }
    }

    /// <summary>Removes an empty cgroup of ours.</summary>
    public static void RemoveIfOurs(Cgroup cgroup)
    {
        if (IsOurs(cgroup)) cgroup.Remove();
    }

    /// <summary>Where the cgroup of a tree that comes here is made: at the top, since it belongs to nobody's session here.</summary>
    public static string PlaceFor(string name) =>
        Cgroup.PlacesBelow((mount, _) => [Path.Combine(mount, Prefix + name)]).FirstOrDefault() ?? throw new ContainerException("cgroup v2 is not mounted; process trees are restored into a cgroup of it.");

    /// <summary>Makes it, marked with the bundle of what will live in it.</summary>
    public static void Make(string path, string bundle)
    {
        Directory.CreateDirectory(path);
        ExtendedAttribute.Set(path, BundleAttribute, bundle);
    }

    /// <summary>The bundle of a tree that came here; null for any other.</summary>
    public static string? BundleOf(Cgroup cgroup) => IsOurs(cgroup) ? ExtendedAttribute.Get(cgroup.Path, BundleAttribute) : null;

    private static bool IsOurs(Cgroup cgroup) => Path.GetFileName(cgroup.Path) is { } leaf && leaf.StartsWith(Prefix, StringComparison.Ordinal) && ProcessTree.Of(leaf[Prefix.Length..]) is not null;

    private static bool IsAlone(Cgroup place, ProcessTree tree)
    {
        HashSet<int> all = [.. tree.Pids()];
        return place.Pids().All(all.Contains);
    }
}
