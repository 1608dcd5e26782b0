namespace P2PMigrate.Protocol.Wire;

/// <summary>The first byte of a frame. A type that is not listed closes the session.</summary>
// spec: PKT-10
public enum FrameType : byte
{
    /// <summary>One byte that means nothing.</summary>
    Padding = 0x00,

    /// <summary>Asks for an acknowledgement.</summary>
    Ping = 0x01,

    /// <summary>Acknowledges packets of one label: <see cref="AckFrame"/>.</summary>
    Ack = 0x02,

    /// <summary>Ends a direction without delivering the rest: <see cref="ResetStreamFrame"/>.</summary>
    ResetStream = 0x03,

    /// <summary>Asks the peer to reset its direction: <see cref="StopSendingFrame"/>.</summary>
    StopSending = 0x04,

    /// <summary>Credit for all streams of a class: <see cref="MaxDataFrame"/>.</summary>
    MaxData = 0x05,

    /// <summary>Credit for one stream: <see cref="MaxStreamDataFrame"/>.</summary>
    MaxStreamData = 0x06,

    /// <summary>How many streams of a class the peer may open: <see cref="MaxStreamsFrame"/>.</summary>
    MaxStreams = 0x07,

    /// <summary>Bytes of a stream: <see cref="StreamFrame"/>.</summary>
    Stream = 0x08,

    /// <summary>Bytes of a stream that end where the stream ends: <see cref="StreamFrame"/>.</summary>
    StreamFin = 0x09,

    /// <summary>An application datagram: <see cref="DatagramFrame"/>.</summary>
    Datagram = 0x0A,

    /// <summary>A probe: <see cref="PathChallengeFrame"/>.</summary>
    PathChallenge = 0x10,

    /// <summary>The answer to a probe: <see cref="PathResponseFrame"/>.</summary>
    PathResponse = 0x11,

    /// <summary>Addresses learned after the handshake: <see cref="CandidatesFrame"/>.</summary>
    Candidates = 0x12,

    /// <summary>What the sender knows of its NATs: <see cref="NatFrame"/>.</summary>
    Nat = 0x13,

    /// <summary>The end of the session: <see cref="CloseFrame"/>.</summary>
    Close = 0x1F,
}
