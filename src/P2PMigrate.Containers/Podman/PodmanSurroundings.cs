using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// What a restore by Podman finds around it. Its monitor and the runtime inherit the environment of podman: there the CRIU that they find first on PATH is a script, which hands over to it with our mark.
/// The others, of which the monitor stays with the container, have a mark of their own. Nothing of a service of systemd's that we may be is handed on: the monitor would be taken for part of it, and end with it.
/// </summary>
internal static class PodmanSurroundings
{
    /// <summary>Names the work directory in the environment of podman and the monitor, which outlives the restore; see <see cref="OwnedProcesses.Variable"/> for those that do not.</summary>
    public const string Variable = "P2PMIGRATE_PODMAN_WORK";

    /// <summary>What systemd tells a service, and nobody below it shall hear.</summary>
    public static IReadOnlyList<string> OfService { get; } = ["INVOCATION_ID", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "JOURNAL_STREAM"];

    /// <summary>Writes them; returns the environment for podman.</summary>
    public static IReadOnlyDictionary<string, string> Write(string workDirectory, string criu)
    {
        string directory = Directory.CreateDirectory(Path.Combine(workDirectory, "bin")).FullName;
        HookFifo.WriteScript(Path.Combine(directory, "criu"), $$"""
            #!/bin/sh
            {{OwnedProcesses.Variable}}={{HookFifo.Quote(workDirectory)}} exec {{HookFifo.Quote(Tool.PathOf(criu))}} "$@"

            """);
        return new Dictionary<string, string> { [Variable] = workDirectory, ["PATH"] = $"{directory}:{Environment.GetEnvironmentVariable("PATH")}" };
    }
}
