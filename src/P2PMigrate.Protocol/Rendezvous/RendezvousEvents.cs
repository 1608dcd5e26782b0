using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>Something that a rendezvous client has to tell its driver.</summary>
public abstract record RendezvousEvent;

/// <summary>The server sees this endpoint at another address than before: a reflexive candidate.</summary>
public sealed record ObservedAddressChanged(NetworkAddress Observed) : RendezvousEvent;

/// <summary>This peer can be found from now on. Comes again after a time without.</summary>
public sealed record PeerRegistered : RendezvousEvent;

/// <summary>The server has not answered for a while; the client goes on trying. Comes once until the server answers again.</summary>
public sealed record ServerUnreachable : RendezvousEvent;

/// <summary>The relay knows the channel, again or still; this peer's leg of it is <paramref name="Leg"/>.</summary>
public sealed record ChannelJoined(TransactionId Transaction, RelayLegId Leg) : RendezvousEvent;

/// <summary>The server answered what <see cref="RendezvousClientCore.WriteWayProbe"/> asked.</summary>
public sealed record WayAnswered : RendezvousEvent;

/// <summary>
/// Somebody sent this peer a message 1. Repetitions come again with the same ids; a responder answers them alike.
/// </summary>
/// <param name="Offer">To be named in <see cref="RendezvousClientCore.Answer"/>.</param>
/// <param name="Initiator">Its address as the server sees it: proven, so good for cookies and as a reflexive candidate.</param>
/// <param name="Leg">This peer's leg of the relay channel for the two; none when the server opened none.</param>
/// <param name="Init">The message 1.</param>
public sealed record OfferReceived(OfferId Offer, NetworkAddress Initiator, RelayLegId Leg, ReadOnlyMemory<byte> Init) : RendezvousEvent;

/// <summary>The responder replied to an offer: with message 2 or with a cookie.</summary>
/// <param name="Transaction">The offer, as <see cref="RendezvousClientCore.Offer"/> named it.</param>
/// <param name="Responder">Its address as the server sees it.</param>
/// <param name="Leg">This peer's leg of the relay channel for the two; none when the server opened none.</param>
/// <param name="Datagram">The reply.</param>
public sealed record AnswerReceived(TransactionId Transaction, NetworkAddress Responder, RelayLegId Leg, ReadOnlyMemory<byte> Datagram) : RendezvousEvent;

/// <summary>The server knows no such peer now. The offer is over.</summary>
public sealed record OfferRefused(TransactionId Transaction) : RendezvousEvent;

/// <summary>
/// No answer in time. The offer is over. <paramref name="WasForwarded"/> tells whether the server knew the peer, which then
/// kept silent.
/// </summary>
public sealed record OfferTimedOut(TransactionId Transaction, bool WasForwarded) : RendezvousEvent;
