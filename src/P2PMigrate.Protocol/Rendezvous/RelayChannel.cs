using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// One end of a relay channel. Its address was proven before the leg was opened (by a cookie or a registration); when frames
/// come from elsewhere, the new address is asked first and used only after it has answered.
/// </summary>
/// <remarks>spec: RLY-04, RLY-05.</remarks>
internal sealed class RelayLeg(RelayLegId id, RelayChannel channel, NetworkAddress address)
{
    /// <summary>The secret between the server and the peer at this end.</summary>
    public RelayLegId Id { get; } = id;

    /// <summary>The channel that this is an end of.</summary>
    public RelayChannel Channel { get; } = channel;

    /// <summary>Where frames for this end go: a proven address.</summary>
    public NetworkAddress Address { get; set; } = address;

    /// <summary>An address that sent frames of this leg and was asked whether it is the peer's.</summary>
    public NetworkAddress Candidate { get; set; }

    /// <summary>What the candidate has to echo.</summary>
    public ulong Nonce { get; set; }

    /// <summary>Not before then is a candidate asked again.</summary>
    public Instant NextCheckAt { get; set; }

    /// <summary>The other end.</summary>
    public RelayLeg Other => Channel.Initiator == this ? Channel.Responder : Channel.Initiator;
}

/// <summary>Two legs and what flows between them. Opened with an offer, closed when it stays unanswered or idle.</summary>
internal sealed class RelayChannel
{
    private TokenBucket _rate;

    /// <summary>Opens a channel between two proven addresses.</summary>
    public RelayChannel(RendezvousServerOptions options, IEntropy entropy, NetworkAddress initiator, NetworkAddress responder, Instant now)
    {
        Initiator = new RelayLeg(RelayLegId.Create(entropy), this, initiator);
        Responder = new RelayLeg(RelayLegId.Create(entropy), this, responder);
        OpenedBy = initiator;
        ExpiresAt = now + options.ChannelAnswerTimeout;
        _rate = new TokenBucket(options.RelayBytesPerSecond, options.RelayBurst);
    }

    /// <summary>The end of whoever made the offer.</summary>
    public RelayLeg Initiator { get; }

    /// <summary>The end of whoever was asked.</summary>
    public RelayLeg Responder { get; }

    /// <summary>Whose offer it was; its host's limit counts the channel.</summary>
    public NetworkAddress OpenedBy { get; }

    /// <summary>Did the responder answer the offer?</summary>
    public bool IsAnswered { get; set; }

    /// <summary>From then on the channel is closed.</summary>
    public Instant ExpiresAt { get; set; }

    /// <summary>May that many bytes pass now?</summary>
    public bool TryTake(Instant now, int bytes) => _rate.TryTake(now, bytes);
}
