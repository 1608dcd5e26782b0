namespace P2PMigrate.Migration.Machines;

/// <summary>When the live rounds end. The three rules of every pre-copy: small, no longer shrinking, often enough.</summary>
internal static class CopyPolicy
{
    /// <summary>Most rounds while the container runs.</summary>
    public const int LiveRoundsMax = 3;

    /// <summary>A round that sent no more than this is worth freezing for.</summary>
    public const long SmallRoundBytes = 4 << 20;

    /// <summary>Was <paramref name="round"/> (from 0) the last live one, having sent <paramref name="bytes"/> after <paramref name="previous"/>?</summary>
    // spec: MIG-23
    public static bool IsConverged(int round, long bytes, long previous) =>
        bytes <= SmallRoundBytes || bytes >= previous || round + 1 >= LiveRoundsMax;
}
