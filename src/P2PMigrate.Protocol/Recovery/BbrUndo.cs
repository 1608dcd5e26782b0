namespace P2PMigrate.Protocol.Recovery;

/// <summary>What <see cref="BbrController"/> puts back when a loss turns out to have been none.</summary>
/// <param name="Left">The state that was left for the loss, if one was.</param>
/// <param name="RateBound">The short-term bound on the rate.</param>
/// <param name="VolumeBound">The short-term bound on what is in flight.</param>
/// <param name="LongTermBound">The long-term bound on what is in flight.</param>
internal record struct BbrUndo(BbrState? Left, double RateBound, double VolumeBound, double LongTermBound);
