namespace P2PMigrate.Containers.Checkpoints;

/// <summary>Every time this assembly waits for something of the machine, and for how long at most.</summary>
internal static class CheckpointTimers
{
    /// <summary>Until every process of a container has stopped (or goes on).</summary>
    public static readonly TimeSpan Freeze = TimeSpan.FromSeconds(10);

    /// <summary>Until a dump that was started ahead waits for its word, and until whoever gives pages has heard CRIU.</summary>
    public static readonly TimeSpan DumpStart = TimeSpan.FromSeconds(10);

    /// <summary>Until a CRIU whose dump cannot succeed any more has undone what it did. It is never killed.</summary>
    public static readonly TimeSpan DumpUndo = TimeSpan.FromSeconds(60);

    /// <summary>For which a container goes on that CRIU could not dump at the moment when it was frozen.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);      // CONST-411

    /// <summary>For which a container that was thawed is watched when CRIU was killed in the middle of its dump.</summary>
    public static readonly TimeSpan AfterKill = TimeSpan.FromMilliseconds(200);      // CONST-412

    /// <summary>Between two looks at whether it is still there.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    /// <summary>The same, while a container stands still for it.</summary>
    public static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(1);

    /// <summary>From CRIU's successful end until our side of the page conversation has noticed it.</summary>
    public static readonly TimeSpan LastAnswer = TimeSpan.FromSeconds(5);

    /// <summary>Until a restore that was called off has removed what it made; then it is killed.</summary>
    public static readonly TimeSpan RestoreUndo = TimeSpan.FromSeconds(20);

    /// <summary>From the release of a held container until it runs, and for a CRIU that an earlier process of ours has told to release one.</summary>
    public static readonly TimeSpan Release = TimeSpan.FromSeconds(60);

    /// <summary>Until killed processes are gone.</summary>
    public static readonly TimeSpan Kill = TimeSpan.FromSeconds(10);
}
