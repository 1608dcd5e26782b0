namespace P2PMigrate.Lab;

/// <summary>A process that cannot be mistaken for a later one with the same number: pid and start time (clock ticks since boot).</summary>
internal sealed record ProcessIdentity(int Pid, ulong StartTime)
{
    public bool IsAlive => TryOf(Pid) == this;

    public static ProcessIdentity Current => Of(Environment.ProcessId);

    public static ProcessIdentity Of(int pid) => TryOf(pid) ?? throw new LabException($"process {pid} ended unexpectedly");

    /// <summary>Returns null when there is no such process, or only its zombie.</summary>
    public static ProcessIdentity? TryOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            // The name in parentheses may hold spaces; fields 3 (state) and 22 (start time) follow it.
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new ProcessIdentity(pid, ulong.Parse(fields[19]));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
