namespace P2PMigrate.Migration.Transfer;

/// <summary>How much content a source may put on our disk: what it claimed, with room to grow. Safe for use from several threads.</summary>
// spec: MIG-27
internal sealed class ContentBudget
{
    /// <summary>A container may grow by this factor while it is copied …</summary>
    public const int GrowthFactor = 2;

    /// <summary>… and by this much in any case.</summary>
    public const long Allowance = 1L << 30;

    private long _left;

    /// <summary>The budget of a source that claims so much.</summary>
    public ContentBudget(long claimedBytes) => _left = BytesFor(claimedBytes);

    private ContentBudget(long bytes, bool _) => _left = bytes;

    /// <summary>A budget of exactly so much.</summary>
    public static ContentBudget OfBytes(long bytes) => new(bytes, true);

    /// <summary>What a source that claims so much may put there.</summary>
    public static long BytesFor(long claimedBytes) => (claimedBytes * GrowthFactor) + Allowance;

    /// <summary>Takes <paramref name="bytes"/> from the budget or ends the transfer.</summary>
    public void Spend(long bytes) =>
        PeerFault.Require(Interlocked.Add(ref _left, -bytes) >= 0, "sent far more than it had announced");
}
