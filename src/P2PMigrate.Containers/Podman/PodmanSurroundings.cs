using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// What a restore by Podman finds around it. Podman's monitor, which starts runc, has an environment of its own, of which a configuration beside the machine's speaks: there the CRIU that runc finds
/// first on PATH is a script, which hands over to it with our configuration and mark. The monitor itself, which stays with the container, has no mark.
/// </summary>
internal static class PodmanSurroundings
{
    /// <summary>Writes them; returns the environment for podman.</summary>
    public static IReadOnlyDictionary<string, string> Write(string workDirectory, string criu, string criuConfiguration)
    {
        string directory = Directory.CreateDirectory(Path.Combine(workDirectory, "bin")).FullName;
        HookFifo.WriteScript(Path.Combine(directory, "criu"), $$"""
            #!/bin/sh
            {{OwnedProcesses.Variable}}={{HookFifo.Quote(workDirectory)}} {{CriuConfiguration.Variable}}={{HookFifo.Quote(criuConfiguration)}} exec {{HookFifo.Quote(Tool.PathOf(criu))}} "$@"

            """);
        string configuration = Path.Combine(workDirectory, "containers.conf");
        string path = $"PATH={directory}:{Environment.GetEnvironmentVariable("PATH")}".Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        File.WriteAllText(configuration, $"[engine]\nconmon_env_vars = [\"{path}\"]\n");
        return new Dictionary<string, string> { ["CONTAINERS_CONF_OVERRIDE"] = configuration };
    }
}
