namespace P2PMigrate.Protocol.Recovery;

/// <summary>What the recovery of all labels of a session shares.</summary>
internal sealed record LossRecoveryContext(
    RecoveryOptions Options, TimeSpan PeerMaxAckDelay, SentFramePool Frames, ISentFrameSink Sink, IEntropy Entropy);
