namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// How many bytes leave together: what the rate gives in a millisecond, so that the queue on the way stays short; two
/// datagrams at least; and no more than one call to the system can take. On a path so short that a millisecond is many
/// round trips, the processor is what is scarce: more leaves at once.
/// </summary>
// spec: REC-32
internal static class PacingQuantum
{
    private const double Seconds = 0.001;
    private const int MinDatagrams = 2;
    private const int MaxBytes = 64 << 10;
    private const int LocalMinDatagrams = 16;
    private const int LocalMaxBytes = 256 << 10;

    /// <summary>Smallest round trips below this are those of a local network.</summary>
    // spec: CONST-79
    private static readonly TimeSpan s_localRoundTrip = TimeSpan.FromMilliseconds(1);

    /// <summary>Is a path with this smallest round trip inside a local network?</summary>
    public static bool IsLocal(TimeSpan minRoundTrip) => minRoundTrip > TimeSpan.Zero && minRoundTrip < s_localRoundTrip;

    /// <summary>The quantum for a rate in bytes per second.</summary>
    public static int For(double bytesPerSecond, int datagramSize, bool isLocal = false) => (int)Math.Clamp(
        bytesPerSecond * Seconds, (isLocal ? LocalMinDatagrams : MinDatagrams) * (double)datagramSize, isLocal ? LocalMaxBytes : MaxBytes);
}
