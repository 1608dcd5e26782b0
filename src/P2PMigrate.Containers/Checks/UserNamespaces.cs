using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>What a machine must have for a container whose users are mapped.</summary>
// spec: MIG-189
internal static class UserNamespaces
{
    private const string Limit = "/proc/sys/user/max_user_namespaces";

    /// <summary>A blocker where nobody may have one, or its users could not get to what is below <paramref name="dataDirectory"/>.</summary>
    public static IEnumerable<Finding> AtTarget(string dataDirectory)
    {
        if (WayIn.ClosedAbove(dataDirectory) is { } closed)
            yield return new Finding(FindingSeverity.Blocker, "user namespace", $"The container's users are mapped, and cannot get to their files below {dataDirectory}: only its owner may enter {closed}.", $"Receive with --state-dir elsewhere, or let others pass: chmod o+x {closed}");

        if (!File.Exists(Limit)) yield return new Finding(FindingSeverity.Blocker, "user namespace", "The container's users are mapped, and this kernel has no user namespaces.", "Choose another target.");
        else if (File.ReadAllText(Limit).Trim() == "0") yield return new Finding(FindingSeverity.Blocker, "user namespace", "The container's users are mapped, and user namespaces are turned off here.", "sysctl -w user.max_user_namespaces=16384");
    }
}
