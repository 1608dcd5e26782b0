namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>How much a rendezvous server does for others. Everything that grows has its limit here.</summary>
/// <remarks>spec: RDV-15.</remarks>
public sealed record RendezvousServerOptions
{
    /// <summary>Peers registered at a time.</summary>
    public int MaxRegistrations { get; init; } = 65_536;

    /// <summary>Of these, peers of one host: a carrier's NAT has many behind one address.</summary>
    public int MaxRegistrationsPerHost { get; init; } = 1_024;

    /// <summary>How long a registration lasts without being refreshed.</summary>
    public TimeSpan RegistrationLifetime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Registrations per second and host; each costs one agreement of keys.</summary>
    public double RegistrationsPerSecondAndHost { get; init; } = 10;

    /// <summary>Offers on their way at a time.</summary>
    public int MaxOffers { get; init; } = 65_536;

    /// <summary>How long an offer waits for answers.</summary>
    public TimeSpan OfferLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Offers per second and host, repetitions included.</summary>
    public double OffersPerSecondAndHost { get; init; } = 20;

    /// <summary>Echoes per second and host, to which they go.</summary>
    // spec: RDV-23, CONST-220
    public double EchoesPerSecondAndHost { get; init; } = 20;

    /// <summary>Relay channels open at a time; zero for a server that does not relay.</summary>
    public int MaxChannels { get; init; } = 4_096;

    /// <summary>Relay channels that one host may have opened by its offers.</summary>
    public int MaxChannelsPerHost { get; init; } = 64;

    /// <summary>A relay channel on which nothing moves for this long is closed.</summary>
    public TimeSpan ChannelIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A relay channel whose offer nobody answers for this long is closed.</summary>
    public TimeSpan ChannelAnswerTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Bytes per second that one channel relays, both directions together.</summary>
    public double RelayBytesPerSecond { get; init; } = 125e6;

    /// <summary>Bytes that one channel may relay at once.</summary>
    public double RelayBurst { get; init; } = 8 << 20;

    /// <summary>
    /// The part of <see cref="MaxOffers"/> and <see cref="MaxChannels"/> that offers of other servers may take: whatever the directory carries here,
    /// the rest is left to the server's own peers.
    /// </summary>
    // spec: RDV-43, CONST-284
    public double FleetShare { get; init; } = 0.5;

    /// <summary>Offers of other servers per second to one peer, repetitions included.</summary>
    // spec: RDV-43, CONST-285
    public double FleetOffersPerSecondAndPeer { get; init; } = 50;

    /// <summary>Answers that an offer may have without being repeated.</summary>
    // spec: RDV-13, RDV-44, CONST-286
    public int AnswersPerOffer { get; init; } = 8;

    /// <summary>The server's place in a fleet; null for one that stands alone.</summary>
    public FleetMembership? Fleet { get; init; }

    /// <summary>As much as so many hosts may have is what a site may have: of IPv6 a network of 56 bits.</summary>
    // spec: RDV-51, CONST-292
    public int HostsPerSite { get; init; } = HostShares.Usual.PerSite;

    /// <summary>As much as so many hosts may have is what an area may have: of IPv6 a network of 48 bits. Of what is counted, half at most.</summary>
    // spec: RDV-51, CONST-292
    public int HostsPerArea { get; init; } = HostShares.Usual.PerArea;

    /// <summary>Hosts whose rates are told apart; when the table is full of busy ones, new hosts wait.</summary>
    public int MaxHosts { get; init; } = 65_536;

    internal HostShares Shares => new(HostsPerSite, HostsPerArea);
}

/// <summary>What a server holds and did, for logs and metrics. A snapshot.</summary>
public readonly record struct RendezvousServerStatistics(
    int Registrations, int Offers, int Channels, long FramesRelayed, long BytesRelayed, long FramesDropped, long Refused)
{
    /// <summary>Offers to peers that are not here, passed on to the fleet; repetitions count.</summary>
    public long OffersPassedOn { get; init; }

    /// <summary>Offers of other servers to peers that are here; repetitions count.</summary>
    public long OffersTakenOver { get; init; }
}
