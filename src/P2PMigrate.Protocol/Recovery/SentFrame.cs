using System.Runtime.InteropServices;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What a sent packet carried that somebody has to learn the fate of. The meaning of <paramref name="Subject"/> and
/// <paramref name="Offset"/> depends on the kind.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SentFrame(SentFrameKind Kind, ulong Subject, ulong Offset = 0, int Length = 0, bool IsFinal = false);

/// <summary>Kinds of frames whose fate matters. PADDING, PING, probes and CLOSE are sent anew or not at all.</summary>
internal enum SentFrameKind : byte
{
    /// <summary>No frame.</summary>
    None,

    /// <summary>Subject: stream id; offset, length, final.</summary>
    Stream,

    /// <summary>Subject: stream id.</summary>
    ResetStream,

    /// <summary>Subject: stream id.</summary>
    StopSending,

    /// <summary>Subject: stream id.</summary>
    MaxStreamData,

    /// <summary>Subject: class.</summary>
    MaxData,

    /// <summary>Subject: class.</summary>
    MaxStreams,

    /// <summary>Subject: label; offset: the largest packet number acknowledged.</summary>
    Ack,

    /// <summary>All of our late candidates.</summary>
    Candidates,

    /// <summary>What we know of our NATs.</summary>
    Nat,

    /// <summary>An application datagram: asks for an acknowledgement, so that it counts for loss and congestion, and no more.</summary>
    Datagram,
}
