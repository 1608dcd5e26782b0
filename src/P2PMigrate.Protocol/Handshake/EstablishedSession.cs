using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>What the responder knows about the ticket that a session was made with.</summary>
public enum TicketVerdict : byte
{
    /// <summary>The ticket is good: it admits one migration.</summary>
    Open = 1,

    /// <summary>The ticket was used; the session only serves to say so.</summary>
    Spent = 2,

    /// <summary>The ticket is past its expiry; the session only serves to say so.</summary>
    Expired = 3,
}

/// <summary>
/// What a handshake ends with: everything a connection starts from. Owned by whoever took it; disposing wipes the keys
/// that were not taken from <see cref="Keys"/> yet.
/// </summary>
/// <remarks>
/// The initiator may send at once. To the responder the initiator is authenticated, but message 1 may be a recording:
/// only the first packet that opens proves that the initiator is there now and knows the ticket's secret (spec: HS-27).
/// </remarks>
public sealed record EstablishedSession : IDisposable
{
    /// <summary>The other side, proven by its static key.</summary>
    public required PublicIdentity Peer { get; init; }

    /// <summary>Which side this peer is.</summary>
    public required ConnectionRole Role { get; init; }

    /// <summary>The id that the peer puts into packets to this side.</summary>
    public required ConnectionId LocalId { get; init; }

    /// <summary>The id that this side puts into packets to the peer.</summary>
    public required ConnectionId RemoteId { get; init; }

    /// <summary>The packet keys, epoch after epoch; <see cref="KeySchedule.Next"/> gives epoch 0 first.</summary>
    public required KeySchedule Keys { get; init; }

    /// <summary>The peer's candidates at the time of the handshake, best first, at most <see cref="Candidate.MaxCount"/>.</summary>
    public required IReadOnlyList<Candidate> PeerCandidates { get; init; }

    /// <summary>The NATs before the peer, by its word; null when it does not say, nor understands what we say later.</summary>
    public NatProfile? PeerNat { get; init; }

    /// <summary>What the peer was told of the NATs before us.</summary>
    public NatProfile LocalNat { get; init; }

    /// <summary>What the peer announced about itself.</summary>
    public required TransportParameters PeerParameters { get; init; }

    /// <summary>What this side announced to the peer.</summary>
    public required TransportParameters LocalParameters { get; init; }

    /// <summary>The ticket that the session was made with.</summary>
    public required TicketId Ticket { get; init; }

    /// <summary>The responder's word on the ticket; both sides know it. Anything but open must lead to a close with the reason.</summary>
    public required TicketVerdict Verdict { get; init; }

    /// <summary>The Noise handshake hash: 32 bytes equal on both sides of this session and of no other.</summary>
    public required ReadOnlyMemory<byte> Transcript { get; init; }

    /// <summary>The round trip of the handshake, on the initiator and if message 1 was sent once only.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>The peer's name.</summary>
    public PeerId PeerId => Peer.PeerId;

    /// <summary>The suite that protects packets.</summary>
    public ProtectionSuite Suite => Keys.Suite;

    /// <inheritdoc/>
    public void Dispose() => Keys.Dispose();
}
