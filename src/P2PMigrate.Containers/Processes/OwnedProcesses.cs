using System.Globalization;
using System.Text;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Processes;

/// <summary>
/// The programs that we, or an earlier process of ours, started for one work directory, and their children: runc, CRIU, the hook.
/// They are known by an environment variable that all of them inherit. Restored processes have their own environment. CRIU writes the title
/// that <c>ps</c> shows over its environment; it is known by its name and by working in the work directory, the same inode: what a container sees under
/// such a path is another.
/// </summary>
internal static class OwnedProcesses
{
    /// <summary>Names the work directory in the environment of all that is started for it.</summary>
    public const string Variable = "P2PMIGRATE_WORK";

    private const int LooksForNone = 2;
    private const string CriuName = "criu";
    private const string Elsewhere = "criu-works-in";

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    /// <summary>The CRIU of this work directory works in <paramref name="directory"/>.</summary>
    public static void AlsoIn(string workDirectory, string directory)
    {
        string link = Path.Combine(workDirectory, Elsewhere);
        File.Delete(link);
        File.CreateSymbolicLink(link, directory);
    }

    /// <summary>Those that run now. Another <paramref name="variable"/> marks those that shall live on.</summary>
    public static IReadOnlyList<ProcessIdentity> Find(string workDirectory, string variable = Variable)
    {
        (uint, uint, ulong)?[] work = [.. new[] { DirectoryAt(workDirectory), DirectoryAt(Path.Combine(workDirectory, Elsewhere)) }.Where(directory => directory is not null)];
        byte[] mark = MarkOf(workDirectory, variable);
        return Find(pid => HasMark(pid, mark) || IsCriuIn(pid, work));
    }

    /// <summary>Those alone that a variable marks, without CRIU, whatever it works on.</summary>
    public static IReadOnlyList<ProcessIdentity> FindMarked(string workDirectory, string variable)
    {
        byte[] mark = MarkOf(workDirectory, variable);
        return Find(pid => HasMark(pid, mark));
    }

    /// <summary>
    /// Waits until none is left; false when some still run after <paramref name="limit"/>. Two looks must find none: one that is born while /proc is read, of one that then ends, is in neither place.
    /// </summary>
    public static async Task<bool> WaitForEndAsync(string workDirectory, TimeSpan limit, CancellationToken cancellationToken, string variable = Variable)
    {
        long start = Environment.TickCount64;
        for (int looks = 0; ; await Task.Delay(s_look, cancellationToken).ConfigureAwait(false))
        {
            looks = Find(workDirectory, variable).Count == 0 ? looks + 1 : 0;
            if (looks == LooksForNone) return true;
            if (Environment.TickCount64 - start > limit.TotalMilliseconds) return false;
        }
    }

    private static byte[] MarkOf(string workDirectory, string variable) => Encoding.UTF8.GetBytes($"{variable}={workDirectory}\0");

    private static IReadOnlyList<ProcessIdentity> Find(Func<int, bool> isOne) =>
    [
        .. from pid in ProcessTable.Pids()
           where pid != Environment.ProcessId && isOne(pid)
           let identity = ProcessIdentity.Of(pid)
           where identity is { IsAlive: true }
           select identity.Value,
    ];

    private static bool HasMark(int pid, byte[] mark)
    {
        try
        {
            byte[] environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));
            int at = environment.AsSpan().IndexOf(mark);
            return at == 0 || (at > 0 && environment[at - 1] == 0);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsCriuIn(int pid, (uint Major, uint Minor, ulong Inode)?[] work)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/comm")).TrimEnd('\n') == CriuName
                && work.Contains(DirectoryAt(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cwd")));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (uint Major, uint Minor, ulong Inode)? DirectoryAt(string path) => Native.StatX(Native.CurrentDirectory, path, 0, Native.BasicStats, out Native.StatXResult facts) == 0
        ? (facts.DeviceMajor, facts.DeviceMinor, facts.Inode) : null;
}
