namespace P2PMigrate.Migration.Control;

/// <summary>What a target knows of a job. The numbers are those of the wire.</summary>
internal enum JobFate
{
    /// <summary>It knows no such job of the peer that asks; nothing follows from that.</summary>
    Unknown = 0,

    /// <summary>The job has not ended there.</summary>
    UnderWay = 1,

    /// <summary>Only a person at the target can tell.</summary>
    InDoubt = 2,

    /// <summary>Final: the container was let run there.</summary>
    Runs = 3,

    /// <summary>Final: it was never let run there, and never will be.</summary>
    Gone = 4,
}
