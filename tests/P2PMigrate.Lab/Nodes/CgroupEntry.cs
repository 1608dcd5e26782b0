namespace P2PMigrate.Lab;

/// <summary>Starts programs inside given cgroups: a shell moves itself there and then becomes the program, keeping its pid.</summary>
internal static class CgroupEntry
{
    private const string JoinThenExec = "while [ \"$1\" != -- ]; do echo 0 > \"$1\"; shift; done; shift; exec \"$@\"";

    /// <param name="joinFiles">The <c>cgroup.procs</c> files of the cgroups to join.</param>
    /// <param name="command">Program and arguments.</param>
    public static string[] Wrap(IEnumerable<string> joinFiles, IEnumerable<string> command) =>
        ["/bin/sh", "-c", JoinThenExec, "p2plab", .. joinFiles, "--", .. command];
}
