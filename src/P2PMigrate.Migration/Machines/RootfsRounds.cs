namespace P2PMigrate.Migration.Machines;

/// <summary>When another round of the root file system does not pay. The three rules of every pre-copy: small, no longer shrinking, often enough.</summary>
internal static class RootfsRounds
{
    /// <summary>Most rounds for the sake of the root file system.</summary>
    public const int LiveRoundsMax = 3;

    /// <summary>A round that sent no more than this is worth freezing for.</summary>
    public const long SmallRoundBytes = 4 << 20;

    /// <summary>Need there be no round after <paramref name="round"/> (from 0) for the root file system, of which it sent <paramref name="bytes"/> after <paramref name="previous"/>?</summary>
    // spec: MIG-23
    public static bool IsConverged(int round, long bytes, long previous) =>
        bytes <= SmallRoundBytes || bytes >= previous || round + 1 >= LiveRoundsMax;
}
