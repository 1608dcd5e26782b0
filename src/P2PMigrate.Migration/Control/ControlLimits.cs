namespace P2PMigrate.Migration.Control;

/// <summary>Bounds on what a peer may say. Chapter 12 lists them.</summary>
internal static class ControlLimits
{
    /// <summary>The version of the messages.</summary>
    public const uint Version = 2;

    /// <summary>Bytes of one control message.</summary>
    public const int MaxMessageLength = 1 << 20;

    /// <summary>Bytes of a stream's header, receipt or image file entry.</summary>
    public const int MaxRecordLength = 4096;

    /// <summary>Bytes of a <c>config.json</c>.</summary>
    public const int MaxConfigurationLength = 512 * 1024;

    /// <summary>Characters of a reason, a path, or a finding's message.</summary>
    public const int MaxTextLength = 4096;

    /// <summary>Characters of a version, a feature or a finding's subject.</summary>
    public const int MaxWordLength = 256;

    /// <summary>CPU features of a machine.</summary>
    public const int MaxCpuFeatures = 1024;

    /// <summary>Findings in a refusal.</summary>
    public const int MaxFindings = 64;

    /// <summary>Bytes of memory or of a root file system that anyone may claim (16 TiB).</summary>
    public const long MaxClaimedBytes = 1L << 44;

    /// <summary>Processes that anyone may claim.</summary>
    public const int MaxProcesses = 1 << 22;

    /// <summary>The latest time of day that anyone may tell: the end of the year 9999.</summary>
    public const long MaxUnixMilliseconds = 253_402_300_799_999;

    /// <summary>Files among CRIU's images.</summary>
    public const int MaxImageFiles = 1 << 16;

    /// <summary>Bytes of one image file (memory pages are not among them).</summary>
    public const long MaxImageLength = 1L << 32;

    /// <summary>Bytes of all image files of a job together.</summary>
    public const long MaxImagesLength = 1L << 36;

    /// <summary>Rounds of the root file system, the final one included.</summary>
    public const int MaxRounds = 16;

    /// <summary>Control messages waiting to be sent, or waiting to be handled.</summary>
    public const int MaxQueuedMessages = 256;
}
