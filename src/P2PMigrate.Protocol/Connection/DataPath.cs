using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Connection;

/// <summary>A path with a label: what is needed to send data on it. Owned by <see cref="DataPaths"/>.</summary>
internal sealed record DataPath(byte Label, CandidatePair Pair, LossRecovery Recovery, Pacer Pacer, int DatagramSize)
{
    /// <summary>Has the window room for a full datagram?</summary>
    public bool IsWindowOpen => Recovery.BytesInFlight + DatagramSize <= Recovery.Congestion.Window && Recovery.HasRoom;

    /// <summary>May a datagram of this size go there at all?</summary>
    public bool Allows(int size) => Pair.IsProven || Pair.Allows(size);
}
