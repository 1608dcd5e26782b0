using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// What the two sides tell each other inside messages 1 and 2, authenticated and encrypted. Its bytes are
/// <see cref="HandshakePayloadCodec"/>'s.
/// </summary>
/// <remarks>spec: HS-21, HS-22.</remarks>
internal sealed record HandshakePayload
{
    /// <summary>The highest revision that the sender speaks; both use the smaller of theirs.</summary>
    public const ushort CurrentRevision = 1;

    /// <summary>The sender's revision; 0 when it did not say.</summary>
    public ushort Revision { get; init; } = CurrentRevision;

    /// <summary>Message 1: the initiator's time of day in UTC nanoseconds, growing from handshake to handshake.</summary>
    public ulong? Timestamp { get; init; }

    /// <summary>Message 1: which ticket's secret the pre-shared key comes from.</summary>
    public TicketId? Ticket { get; init; }

    /// <summary>Message 1: what the initiator can do, best first. Message 2: the one that the responder chose.</summary>
    public IReadOnlyList<ProtectionSuite> Suites { get; init; } = [];

    /// <summary>Where the sender might be reached, best first.</summary>
    public IReadOnlyList<Candidate> Candidates { get; init; } = [];

    /// <summary>The NATs before the sender; null when it does not say, and then it understands no NAT frame either.</summary>
    // spec: PATH-61
    public NatProfile? Nat { get; init; }

    /// <summary>What the sender announces for the connection.</summary>
    public TransportParameters? Parameters { get; init; }

    /// <summary>Message 2: the responder's name for the session.</summary>
    public ConnectionId? ConnectionId { get; init; }

    /// <summary>Message 2: what the responder thinks of the ticket.</summary>
    public TicketVerdict? Verdict { get; init; }

    /// <summary>Has it everything that message 1 needs?</summary>
    public bool IsCompleteInit => Revision > 0 && Timestamp is not null && Ticket is not null && Suites.Count > 0 && Parameters is not null;

    /// <summary>Has it everything that message 2 needs?</summary>
    public bool IsCompleteResponse => Revision > 0 && ConnectionId is not (null or { Value: 0 }) && Suites.Count == 1 && Verdict is not null && Parameters is not null;
}
