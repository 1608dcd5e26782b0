using System.Globalization;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Trees;

/// <summary>A process and all that descend from it, as /proc shows them whenever it is asked. Its name among containers is <c>pid-NUMBER</c>.</summary>
// spec: MIG-195
internal sealed class ProcessTree(int first)
{
    private const string Prefix = "pid-";
    private const int DepthMax = 4_096;

    /// <summary>The number of the first process.</summary>
    public int First => first;

    public string Name => NameOf(first);

    public static string NameOf(int first) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{first}");

    /// <summary>The tree of this name, whether there is one or not; null for a name of another form.</summary>
    public static ProcessTree? Of(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int first) && first > 0 && NameOf(first) == name
            ? new ProcessTree(first) : null;

    /// <summary>The numbers of all, the first one's before the others'. A process that is born or loses its parent meanwhile may be missing.</summary>
    public IReadOnlyList<int> Pids()
    {
        ILookup<int, int> children = ProcessTable.Pids().Select(pid => (Pid: pid, Parent: ProcessIdentity.ParentOf(pid))).Where(pair => pair.Parent is not null)
            .ToLookup(pair => pair.Parent!.Value, pair => pair.Pid);
        List<int> found = [first];
        for (int at = 0; at < found.Count; at++) found.AddRange(children[found[at]]);
        return found;
    }

    /// <summary>Is this process one of it? False for one that is gone.</summary>
    public bool Holds(int pid)
    {
        for (int steps = 0; steps < DepthMax && pid > 0; steps++)
        {
            if (pid == first) return true;
            if (ProcessIdentity.ParentOf(pid) is not { } parent) return false;
            pid = parent;
        }

        return false;
    }
}
