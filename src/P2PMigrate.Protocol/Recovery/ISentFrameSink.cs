namespace P2PMigrate.Protocol.Recovery;

/// <summary>Learns what became of the frames that were sent.</summary>
internal interface ISentFrameSink
{
    /// <summary>The peer has the frame. What that leads to may wait for <see cref="HandleAckedAll"/>.</summary>
    void HandleAcked(in SentFrame frame);

    /// <summary>That was all that one acknowledgement said.</summary>
    void HandleAckedAll();

    /// <summary>The frame is, or may be, lost: it has to be sent again if it still matters.</summary>
    void HandleLost(in SentFrame frame);
}
