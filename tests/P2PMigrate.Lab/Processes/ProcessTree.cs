namespace P2PMigrate.Lab;

/// <summary>Finds the children of processes in /proc.</summary>
internal static class ProcessTree
{
    /// <summary>The children of one process; empty when it has ended.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        var children = new List<int>();
        try
        {
            foreach (string task in Directory.GetDirectories($"/proc/{pid}/task"))
                children.AddRange(File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
        }
        catch (IOException)
        {
            // It ended while we looked.
        }

        return children;
    }

    /// <summary>The process and all that descends from it, parents first.</summary>
    public static IEnumerable<int> Of(int pid) => ChildrenOf(pid).SelectMany(Of).Prepend(pid);
}
