using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>
/// The cgroup of a process tree. Whoever started the processes has put them somewhere, together with others; to be frozen they are gathered in a cgroup of their own
/// below that place, so that its limits hold and who owns it ends them with it. One that came here from a peer lives in a cgroup that says where its bundle is. Nobody else puts a process into either.
/// </summary>
// spec: MIG-197
internal static class TreeCgroup
{
    private const string Prefix = "p2pmigrate-";
    private const string BundleAttribute = "user.p2pmigrate.bundle";
    private const int PassesMax = 100;

    /// <summary>
    /// Gathers the tree, or what has not been gathered of it yet. Throws when it has ended, forks faster than it can be gathered, or is in several cgroups; what was gathered is put back then.
    /// </summary>
    public static Cgroup Gather(ProcessTree tree)
    {
        Cgroup place = PlaceOf(tree.First) ?? throw tree.Ended();
        Cgroup own = IsOf(place, tree.Name) ? place : new Cgroup(Path.Combine(place.Path, Prefix + tree.Name));
        Directory.CreateDirectory(own.Path);
        try
        {
            for (int passes = 0; passes < PassesMax; passes++)
            {
                int[] outside = [.. Missing(tree, own)];
                if (outside.Length == 0)
                {
                    own.PidsOfOthers(tree.Name);
                    return own;
                }

                foreach (int pid in outside) TakeFrom(place, own, pid);
            }

            throw new ContainerException($"The processes of {tree.Name} begin and end so fast that they cannot be gathered in one cgroup ({own.Path}); try again when they are calmer.");
        }
        catch
        {
            Scatter(own);
            throw;
        }
    }

    /// <summary>Those of the tree that are not in its cgroup. A zombie is in none.</summary>
    public static IReadOnlyList<int> Missing(ProcessTree tree, Cgroup own)
    {
        IReadOnlyList<int> all = tree.Pids();
        if (all.Count == 0) throw tree.Ended();
        HashSet<int> inside = [.. own.OwnPids()];
        return [.. all.Where(pid => !inside.Contains(pid) && ProcessIdentity.Of(pid) is { IsAlive: true })];
    }

    /// <summary>Puts back what <see cref="Gather"/> has gathered, and removes the cgroup. Does nothing to one that it has not made. What cannot be put back stays where it is, which is below its place.</summary>
    public static void Scatter(Cgroup cgroup)
    {
        if (!IsOurs(cgroup) || BundleOf(cgroup) is not null) return;
        var place = new Cgroup(Path.GetDirectoryName(cgroup.Path)!);
        try
        {
            for (int passes = 0; passes < PassesMax && cgroup.Exists; passes++)
            {
                foreach (int pid in cgroup.OwnPids()) place.Take(pid);
                cgroup.Remove();
            }
        }
        catch (Exception refused) when (refused is ContainerException or IOException)
        {
            // its limits are those of its place all the same
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

    /// <summary>Is it the one of the tree of this name, wherever that was gathered?</summary>
    public static bool IsOf(Cgroup cgroup, string name) => Path.GetFileName(cgroup.Path) == Prefix + name;

    /// <summary>The cgroup in which a process is; null when it has ended.</summary>
    public static Cgroup? PlaceOf(int pid)
    {
        try
        {
            return Cgroup.Of(pid);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>One that sits elsewhere was put there by somebody: another job may have frozen it, and a supervisor would miss it.</summary>
    private static void TakeFrom(Cgroup place, Cgroup own, int pid)
    {
        if (PlaceOf(pid) is not { } seat) return; // it has ended meanwhile
        if (seat.Path != place.Path && seat.Path != own.Path) throw Apart(pid, seat, place);
        own.Take(pid);
    }

    /// <summary>What to say of a process that is in another cgroup than the first one of its tree.</summary>
    public static ContainerException Apart(int pid, Cgroup seat, Cgroup place) =>
        new($"Process {pid} ({ProcessTable.Status(pid, "Name") ?? "gone"}) is in another cgroup ({seat.Path}) than the first one of its tree ({place.Path}), and can be frozen only by itself.");

    private static bool IsOurs(Cgroup cgroup) => Path.GetFileName(cgroup.Path) is { } leaf && leaf.StartsWith(Prefix, StringComparison.Ordinal) && ProcessTree.Of(leaf[Prefix.Length..]) is not null;
}
