using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Trees;

/// <summary>The service of systemd that a process belongs to, and when systemd starts it again (<c>no</c>, <c>always</c>, …; empty where nobody says).</summary>
internal sealed record SystemdUnit(string Name, string Restart)
{
    private const string Suffix = ".service";

    /// <summary>May it be started again when it ends?</summary>
    public bool MayStartAgain => Restart is not "no";

    /// <summary>The service by the process's cgroup; null when it is in none.</summary>
    public static async Task<SystemdUnit?> OfAsync(int pid, CancellationToken cancellationToken)
    {
        string path = TreeCgroup.PlaceOf(pid)?.InHierarchy ?? "";
        string? name = path.Split('/').LastOrDefault(part => part.EndsWith(Suffix, StringComparison.Ordinal));
        if (name is null) return null;
        bool isOfUser = name != path.Split('/').FirstOrDefault(part => part.StartsWith("user@", StringComparison.Ordinal)) && path.Contains("/user@", StringComparison.Ordinal); // of a systemd that is not asked here
        ToolResult? answer = !isOfUser && Tool.Exists("systemctl") ? await Tool.RunAsync("systemctl", ["show", "-P", "Restart", name], cancellationToken).ConfigureAwait(false) : null;
        return new SystemdUnit(name, answer is { Succeeded: true } ? answer.Output.Trim() : "");
    }
}
