namespace P2PMigrate.Agent;

/// <summary>The program's exit codes. Scripts rely on them; they do not change.</summary>
internal enum ExitCode
{
    /// <summary>Did what was asked.</summary>
    Done = 0,

    /// <summary>Something nobody foresaw; the log has it.</summary>
    Unexpected = 1,

    /// <summary>The command line, or something it names, makes no sense.</summary>
    Usage = 2,

    /// <summary>A check found a blocker; nothing was begun.</summary>
    Preflight = 3,

    /// <summary>The peer could not be reached with this ticket; nothing was begun.</summary>
    PeerUnreachable = 4,

    /// <summary>The migration failed and the container runs at the source.</summary>
    RunsAtSource = 5,

    /// <summary>Nobody here can know whether the target runs the container; it is frozen at the source.</summary>
    InDoubt = 6,

    /// <summary>What was asked for has not happened yet, and may still happen or not.</summary>
    NotYet = 7,

    /// <summary>The container of an archive could not be restored; the archive is as it was.</summary>
    NotRestored = 8,

    /// <summary>The container has ended at the source, and runs nowhere; its files are there.</summary>
    Ended = 9,
}
