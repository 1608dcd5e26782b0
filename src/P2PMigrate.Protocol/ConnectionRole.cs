namespace P2PMigrate.Protocol;

/// <summary>Which side of the handshake this peer was; the values are those in stream ids.</summary>
public enum ConnectionRole : byte
{
    /// <summary>Sent the first handshake message.</summary>
    Initiator = 0,

    /// <summary>Answered it.</summary>
    Responder = 1,
}
