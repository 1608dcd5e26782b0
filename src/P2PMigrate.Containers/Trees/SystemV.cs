using System.Globalization;

namespace P2PMigrate.Containers.Trees;

/// <summary>A System V object of this machine's IPC namespace: its key, and the processes that made or last used it.</summary>
internal sealed record SystemV(string Key, IReadOnlyList<int> Pids)
{
    private const string ProcessColumn = "pid"; // cpid and lpid of memory, lspid and lrpid of queues

    /// <summary>The objects of one kind (<c>shm</c>, <c>msg</c>) as /proc/sysvipc lists them; none where the kernel has none.</summary>
    public static IReadOnlyList<SystemV> Objects(string kind)
    {
        string path = $"/proc/sysvipc/{kind}";
        return File.Exists(path) ? Parse(File.ReadLines(path)) : [];
    }

    /// <summary>Reads a table whose first line names its columns.</summary>
    public static IReadOnlyList<SystemV> Parse(IEnumerable<string> lines)
    {
        string[][] rows = [.. lines.Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))];
        if (rows.Length == 0) return [];
        int[] columns = [.. Enumerable.Range(0, rows[0].Length).Where(column => rows[0][column].EndsWith(ProcessColumn, StringComparison.Ordinal))];
        return
        [
            .. from row in rows.Skip(1)
               where row.Length == rows[0].Length
               select new SystemV(row[0], [.. columns.Select(column => int.TryParse(row[column], CultureInfo.InvariantCulture, out int pid) ? pid : 0).Where(pid => pid > 0)]),
        ];
    }
}
