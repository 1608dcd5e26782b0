using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// One end of a relay channel. Its address was proven before the leg was opened (by a cookie or a registration); when frames
/// come from elsewhere, the new address is asked first and used only after it has answered.
/// </summary>
/// <remarks>spec: RLY-04, RLY-05.</remarks>
internal sealed class RelayLeg(RelayEnd end, RelayChannel channel, Instant now)
{
    private readonly TrunkWatch? _trunk = end.Claimed.IsNone ? null : new TrunkWatch(now);

    /// <summary>The secret between the server and the peer at this end.</summary>
    public RelayLegId Id { get; } = end.Id;

    /// <summary>The channel that this is an end of.</summary>
    public RelayChannel Channel { get; } = channel;

    /// <summary>Where frames for this end go: a proven address. None as long as nobody proved one.</summary>
    public NetworkAddress Address { get; set; } = end.Proven;

    /// <summary>Of a trunk leg: where the other server is said to be. None: a peer is at this end.</summary>
    // spec: RDV-47
    public NetworkAddress Claimed { get; } = end.Claimed;

    /// <summary>Is another server at this end?</summary>
    public bool IsTrunk => _trunk is not null;

    /// <summary>An address that sent frames of this leg and was asked whether it is the peer's.</summary>
    public NetworkAddress Candidate { get; set; }

    /// <summary>What the candidate has to echo.</summary>
    public ulong Nonce { get; set; }

    /// <summary>Not before then is a candidate asked again.</summary>
    public Instant NextCheckAt { get; set; }

    /// <summary>The other end.</summary>
    public RelayLeg Other => Channel.Initiator == this ? Channel.Responder : Channel.Initiator;

    /// <summary>Is there no server at the other end of this trunk leg any more, or does it not know the leg?</summary>
    // spec: RLY-31
    public bool IsLost(Instant now) => _trunk is { } trunk && trunk.IsLost(now);

    /// <summary>May a peer that knows the channel's name have this side? Another peer keeps its own; a server keeps one that it uses.</summary>
    // spec: RLY-22
    public bool IsFree(Instant now) => Address.IsNone || (_trunk is { } trunk && trunk.IsGone(now));

    /// <summary>May a server have it, of which nothing is known but what the directory carried? Who was named before it has its time to answer.</summary>
    // spec: RLY-22
    public bool IsFreeForServer(Instant now) => IsFree(now) && !(Address.IsNone && _trunk is { } trunk && trunk.IsFresh(now));

    /// <summary>A frame of this leg came from <paramref name="source"/>.</summary>
    public void Heard(NetworkAddress source)
    {
        if (source == Address)
        {
            _trunk?.Heard();
        }
    }

    /// <summary>The server at the end of this trunk leg is asked whether it is there.</summary>
    public void Asked(Instant now) => _trunk?.Asked(now);

    /// <summary>The peer at the other end hears nothing from here.</summary>
    public void Missed(Instant now) => _trunk?.Missed(now);

    /// <summary>The candidate answered from <paramref name="source"/>.</summary>
    public void Prove(NetworkAddress source)
    {
        if (source == Address)
        {
            _trunk?.Answered();
        }
        else
        {
            _trunk?.Heard();
        }

        (Address, Candidate) = (source, default);
    }
}

/// <summary>What a leg begins with: its id, and an address that is proven or, for a trunk, one that is not yet.</summary>
internal readonly record struct RelayEnd(RelayLegId Id, NetworkAddress Proven, NetworkAddress Claimed)
{
    /// <summary>An end with a peer at a proven address.</summary>
    public static RelayEnd OfPeer(IEntropy entropy, NetworkAddress address) => new(RelayLegId.Create(entropy), address, default);

    /// <summary>An end with another server, which is said to be at <paramref name="claimed"/>.</summary>
    public static RelayEnd OfServer(RelayLegId trunk, NetworkAddress claimed) => new(trunk, default, claimed);
}

/// <summary>Two legs and what flows between them. Opened with an offer, closed when it stays unanswered or idle.</summary>
internal sealed class RelayChannel
{
    private TokenBucket _rate;

    /// <summary>Opens a channel between two ends, because of an offer of <paramref name="openedBy"/>.</summary>
    public RelayChannel(RendezvousServerOptions options, NetworkAddress openedBy, RelayEnd initiator, RelayEnd responder, Instant now)
    {
        Initiator = new RelayLeg(initiator, this, now);
        Responder = new RelayLeg(responder, this, now);
        OpenedBy = openedBy;
        ExpiresAt = now + options.ChannelAnswerTimeout;
        _rate = new TokenBucket(options.RelayBytesPerSecond, options.RelayBurst);
    }

    /// <summary>The end of whoever made the offer.</summary>
    public RelayLeg Initiator { get; private set; }

    /// <summary>The end of whoever was asked.</summary>
    public RelayLeg Responder { get; private set; }

    /// <summary>Whose offer it was; its host's limit counts the channel.</summary>
    public NetworkAddress OpenedBy { get; }

    /// <summary>Was it another server that told of the offer? Such channels are counted apart from those of own initiators.</summary>
    // spec: RDV-43
    public bool IsOfFleet { get; init; }

    /// <summary>What stands for the name by which its peers asked for it; none for the channel of an offer.</summary>
    public ChannelTag? Tag { get; set; }

    /// <summary>Not before then is the other side looked for among the fleet.</summary>
    // spec: RLY-32
    public Instant NextSeekAt { get; set; }

    /// <summary>Does it live as long as it is used? That of an offer does not before the responder has answered.</summary>
    public bool IsKept { get; set; }

    /// <summary>From then on the channel is closed.</summary>
    public Instant ExpiresAt { get; set; }

    /// <summary>Puts another end in the place of <paramref name="old"/>. Whoever makes up many has none of them asked before its time.</summary>
    public RelayLeg Replace(Instant now, RelayLeg old, RelayEnd end)
    {
        var leg = new RelayLeg(end, this, now) { NextCheckAt = old.NextCheckAt };
        (Initiator, Responder) = old == Initiator ? (leg, Responder) : (Initiator, leg);
        return leg;
    }

    /// <summary>May that many bytes pass now?</summary>
    public bool TryTake(Instant now, int bytes) => _rate.TryTake(now, bytes);
}
