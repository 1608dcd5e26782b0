using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A script that runs in CRIU's place for a dump, whichever program starts it: what ends programs of a machine without meaning this one does not reach CRIU, in whose hands the processes are. These are the kernel when
/// memory runs out, a service that is stopped with all that it has started, a terminal that is closed. Whoever means to end a dump lets it fail. The scripts and tools that CRIU starts have the same protection.
/// </summary>
// spec: MIG-15
internal static class CriuShield
{
    private const string UsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Where it is, in a work directory.</summary>
    public static string ProgramIn(string workDirectory) => Path.Combine(workDirectory, "bin", "criu");

    /// <summary>Writes it, and returns the PATH on which it is found first, for runtimes that look for CRIU there. Throws <see cref="ContainerException"/> when there is no CRIU.</summary>
    public static string Write(string workDirectory, string criu)
    {
        string real = Tool.PathOf(criu);
        if (!Path.IsPathRooted(real)) throw new ContainerException($"The program {criu} is not on PATH; is it installed?");
        string directory = Directory.CreateDirectory(Path.GetDirectoryName(ProgramIn(workDirectory))!).FullName;
        HookFifo.WriteScript(ProgramIn(workDirectory), $$"""
            #!/bin/sh
            trap '' HUP INT TERM
            { echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null
            exec {{HookFifo.Quote(real)}} "$@"

            """);
        return $"{directory}:{Environment.GetEnvironmentVariable("PATH") ?? UsualPath}";
    }
}
