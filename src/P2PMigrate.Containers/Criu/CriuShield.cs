using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A script that runs in CRIU's place for a dump, whichever program starts it: what ends programs of a machine without meaning this one does not reach CRIU, in whose hands the processes are. These are the kernel when
/// memory runs out, a service that is stopped with all that it has started, a terminal that is closed. Whoever means to end a dump lets it fail.
/// </summary>
// spec: MIG-15
internal static class CriuShield
{
    /// <summary>Writes it and returns the directory that must be the first on PATH. A <paramref name="criu"/> that is given by its path is not found there: it goes without.</summary>
    public static string Write(string workDirectory, string criu)
    {
        string directory = Directory.CreateDirectory(Path.Combine(workDirectory, "bin")).FullName;
        HookFifo.WriteScript(Path.Combine(directory, "criu"), $$"""
            #!/bin/sh
            trap '' HUP INT TERM
            { echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null
            exec {{HookFifo.Quote(Tool.PathOf(criu))}} "$@"

            """);
        return directory;
    }
}
