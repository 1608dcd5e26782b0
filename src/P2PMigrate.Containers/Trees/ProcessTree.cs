using System.Globalization;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>
/// A process and all that descend from it, as /proc shows them whenever it is asked. Its name among containers is <c>pid-NUMBER</c>. Numbers are given again: where <paramref name="started"/> says, in clock ticks since boot, when
/// the first one began, another process with its number is none of it.
/// </summary>
// spec: MIG-195
internal sealed class ProcessTree(int first, ulong? started = null)
{
    private const string Prefix = "pid-";
    private const int DepthMax = 4_096;

    /// <summary>The number of the first process.</summary>
    public int First => first;

    public string Name => NameOf(first);

    public static string NameOf(int first) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{first}");

    /// <summary>The tree of this name, whether there is one or not; null for a name of another form.</summary>
    public static ProcessTree? Of(string name, ulong? started = null) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int first) && first > 0 && NameOf(first) == name
            ? new ProcessTree(first, started) : null;

    /// <summary>What to say when it is gone.</summary>
    public ContainerException Ended() => new($"Process {first} has ended.");

    /// <summary>The numbers of all, the first one's before the others'; none when the first has ended. A process that is born or loses its parent meanwhile may be missing.</summary>
    public IReadOnlyList<int> Pids()
    {
        ILookup<int, int> children = ProcessTable.Pids().Select(pid => (Pid: pid, Parent: ProcessIdentity.ParentOf(pid))).Where(pair => pair.Parent is not null)
            .ToLookup(pair => pair.Parent!.Value, pair => pair.Pid);
        if (!IsThere) return [];
        List<int> found = [first];
        for (int at = 0; at < found.Count; at++) found.AddRange(children[found[at]]);
        return found;
    }

    /// <summary>Is this process one of it? False for one that is gone.</summary>
    public bool Holds(int pid)
    {
        for (int steps = 0; steps < DepthMax && pid > 0; steps++)
        {
            if (pid == first) return IsThere;
            if (ProcessIdentity.ParentOf(pid) is not { } parent) return false;
            pid = parent;
        }

        return false;
    }

    private bool IsThere => ProcessIdentity.Of(first) is { IsAlive: true } now && (started is null || now.StartTicks == started);
}
