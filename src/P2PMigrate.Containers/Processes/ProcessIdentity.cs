using System.Globalization;

namespace P2PMigrate.Containers.Processes;

/// <summary>
/// A process that cannot be mistaken for a later one with the same number: its pid in our namespace and the moment it
/// started, in clock ticks since boot.
/// </summary>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTicks)
{
    private const int StartTicksField = 19;

    /// <summary>The process that has this number now, or null when none has.</summary>
    public static ProcessIdentity? Of(int pid) =>
        Stat(pid) is { } fields && ulong.TryParse(fields[StartTicksField], CultureInfo.InvariantCulture, out ulong ticks)
            ? new ProcessIdentity(pid, ticks)
            : null;

    /// <summary>Is it still there? A zombie is not.</summary>
    public bool IsAlive => Stat(Pid) is { } fields && fields[0] is not ("Z" or "X") && ulong.TryParse(fields[StartTicksField], CultureInfo.InvariantCulture, out ulong ticks) && ticks == StartTicks;

    /// <summary>The parent's number, or null when the process is gone.</summary>
    public static int? ParentOf(int pid) =>
        Stat(pid) is { } fields && int.TryParse(fields[1], CultureInfo.InvariantCulture, out int parent) ? parent : null;

    /// <summary>Its process group and session, by the numbers of their first processes; null when it is gone.</summary>
    public static (int Group, int Session)? SessionOf(int pid) =>
        Stat(pid) is { } fields && int.TryParse(fields[2], CultureInfo.InvariantCulture, out int group) && int.TryParse(fields[3], CultureInfo.InvariantCulture, out int session) ? (group, session) : null;

    /// <summary>Sends SIGKILL, unless the number belongs to another process by now.</summary>
    public void Kill()
    {
        const int sigkill = 9;
        if (IsAlive) _ = Linux.Native.Kill(Pid, sigkill);
    }

    /// <summary>The fields of /proc/PID/stat from the third (the state) on; the second may hold spaces and is skipped.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields.Length > StartTicksField ? fields : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
