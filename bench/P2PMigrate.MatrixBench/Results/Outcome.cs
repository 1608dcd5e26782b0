namespace P2PMigrate.MatrixBench;

/// <summary>
/// How one attempt ended. Times are the dialling program's own, from the moment it begins to dial; null for what did not come to be.
/// </summary>
internal sealed record Outcome(double? FirstByteMs, double? DirectMs)
{
    public static Outcome Nothing { get; } = new(null, null);

    /// <summary>What was said when nothing came of it.</summary>
    public string? Complaint { get; init; }

    public bool IsConnected => FirstByteMs is not null;

    public bool IsDirect => DirectMs is not null;
}
