using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Transfer;

/// <summary>Bounds of a round's records that chapter 10 does not give.</summary>
internal static class RootfsLimits
{
    /// <summary>Bytes of a serialised demand: one bit for each chunk, and a little.</summary>
    public const int MaxDemandLength = (SnapshotLimits.MaxChunks / 8) + 64;

    /// <summary>Times that a target may find, in one round, that something it had is spoiled.</summary>
    // spec: CONST-402
    public const int RefillsMax = 3;
}
