using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Connection;

/// <summary>Passes the fate of sent frames on to whoever wrote them.</summary>
internal sealed class SentFrameRouter(StreamSender streams, ReceiveSpaces spaces, Announcer announcer) : ISentFrameSink
{
    /// <inheritdoc/>
    public void HandleAcked(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.Ack)
            spaces.Find((byte)frame.Subject)?.HandleAckAcked(frame.Offset);
        else
            streams.HandleAcked(frame);
    }

    /// <inheritdoc/>
    public void HandleAckedAll() => streams.HandleAckedAll();

    /// <inheritdoc/>
    public void HandleLost(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.Candidates)
            announcer.HandleCandidatesLost();
        else if (frame.Kind == SentFrameKind.Nat)
            announcer.HandleNatLost();
        else
            streams.HandleLost(frame);
    }
}
