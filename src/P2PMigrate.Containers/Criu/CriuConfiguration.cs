using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Options for the CRIU that a runtime starts, in a file of ours that <c>CRIU_CONFIG_FILE</c> names: nothing below
/// /etc is touched. CRIU reads it before the runtime's own options, which win; what runc does not set stays as it is here.
/// </summary>
internal static class CriuConfiguration
{
    /// <summary>The environment variable by which CRIU finds the file.</summary>
    public const string Variable = "CRIU_CONFIG_FILE";

    /// <summary>Deleted files that are still open travel inside the images up to this size.</summary>
    public const long GhostBytesMax = 256L << 20;

    /// <summary>Before this version a lock method in a configuration file makes CRIU crash when a runtime starts it.</summary>
    private static readonly ToolVersion s_firstWithLockOption = new(4, 2);

    /// <summary>Options of a dump. <paramref name="isolated"/>: nothing outside can reach the container's network, so CRIU need not lock it. <paramref name="hookPath"/> holds it until it may begin.</summary>
    public static string ForDump(ToolVersion criu, bool isolated, bool hasNft, string hookPath, params IEnumerable<string> others)
    {
        List<string> lines = [$"ghost-limit {GhostBytesMax >> 20}M", "link-remap", ActionScript(hookPath), .. others];
        if (criu >= s_firstWithLockOption && (isolated || hasNft)) lines.Add($"network-lock {(isolated ? "skip" : "nftables")}");
        return Join(lines);
    }

    /// <summary>Options of a restore that <paramref name="hookPath"/> holds.</summary>
    public static string ForRestore(string hookPath, params IEnumerable<string> others) => Join([ActionScript(hookPath), .. others]);

    /// <summary>Options of CRIU's command line as lines of its configuration: <c>--port 1</c> is <c>port 1</c>.</summary>
    public static IEnumerable<string> FromCommandLine(IEnumerable<string> options) =>
        string.Join(' ', options).Split("--", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string ActionScript(string path) => $"action-script \"{path}\"";

    private static string Join(List<string> lines) => string.Join('\n', lines) + "\n";
}
