using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Nat;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// What an endpoint does with rendezvous servers: stays registered at one, hands offers to the responder and answers to
/// the dials, and tells everybody the addresses that servers see. Loop only, except <see cref="Registered"/>.
/// </summary>
internal sealed class Meeting
{
    /// <summary>The time between two renewals for which the cause is what peers say or do.</summary>
    // spec: CONST-68, PATH-36
    public static readonly TimeSpan DoubtInterval = TimeSpan.FromSeconds(5);

    /// <summary>The time between two renewals because no path to a peer answers: the first and the second, and any two further ones.</summary>
    // spec: CONST-267, PATH-80
    private static readonly TimeSpan s_silenceInterval = TimeSpan.FromSeconds(1);

    /// <summary>How much longer a session waits at a time whose relay says nothing.</summary>
    // spec: CONST-268
    private static readonly TimeSpan s_hold = TimeSpan.FromSeconds(10);

    /// <summary>How much longer it waits for a peer that has to find the relay again, too.</summary>
    // spec: CONST-268
    private static readonly TimeSpan s_holdForPeer = TimeSpan.FromSeconds(20);

    private readonly Pace _doubts = new(DoubtInterval, DoubtInterval);
    private readonly Pace _silences = new(s_silenceInterval, DoubtInterval);
    private readonly TunnelOptions _options;
    private readonly OwnCandidates _own;
    private readonly RendezvousLinks _links;
    private readonly Answering _answering;
    private readonly Dialing _dialing;
    private readonly SessionTable _sessions;
    private readonly StrayDatagrams _strays;
    private readonly NatWatch _nat;
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Connects the parts.</summary>
    public Meeting(TunnelOptions options, OwnCandidates own, Answering answering, Dialing dialing, SessionTable sessions, StrayDatagrams strays, NatWatch nat, TlsDialer? dialer = null)
    {
        _nat = nat;
        _options = options;
        _own = own;
        _links = new RendezvousLinks(options, dialer);
        _answering = answering;
        _dialing = dialing;
        _sessions = sessions;
        _strays = strays;
    }

    /// <summary>Completes when others can find this peer; faults when the server stays silent. Any thread.</summary>
    public Task Registered => _registered.Task;

    /// <summary>The earliest deadline.</summary>
    public Instant NextTimeout => Instant.Min(_links.NextTimeout, Instant.Min(_doubts.NextTimeout, _silences.NextTimeout));

    /// <summary>Registers at the server of the options.</summary>
    public void Register(Instant now, ServerAddresses server) => _links.Register(now, server);

    /// <summary>The link to the server of a ticket.</summary>
    public RendezvousLink? LinkTo(Instant now, ServerAddresses? server) => server is null ? null : _links.GetOrAdd(now, server);

    /// <summary>A rendezvous message came; only a server that we talk to is listened to.</summary>
    public void Handle(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (_nat.TryHandle(now, remote, datagram) || _links.Find(remote) is not { } link)
            return;
        link.Handle(now, remote, datagram);
        DeliverNews(now, link);
    }

    /// <summary>Does what is due, and collects what is to be sent.</summary>
    public void HandleTimeout(Instant now)
    {
        if (_doubts.TryTake(now) | _silences.TryTake(now))
            Renew(now);
        for (int i = _links.Count - 1; i >= 0; i--)
        {
            RendezvousLink link = _links[i];
            link.HandleTimeout(now);
            if (link.IsSilent(now))
                Hold(now, link);
            DeliverNews(now, link);
            link.Drain(now, _strays);
            // A session keeps the link to its relay's server, which may ask whether an address is ours.
            if (link != _links.Home && !_dialing.Uses(link) && !_sessions.UseRelay(link))
            {
                _links.RemoveAt(i);
                _nat.Forget(link);
            }
        }
    }

    /// <summary>The network changed: asks all servers how they see this peer now, and the relays with it.</summary>
    // spec: RDV-17
    public void Renew(Instant now)
    {
        for (int i = 0; i < _links.Count; i++)
        {
            _links[i].Renew(now);
            _links[i].Drain(now, _strays);
        }
    }

    /// <summary>
    /// A NAT may have chosen another address for this peer, by what a session saw. Peers can cause that at will: the servers are
    /// asked at once, and then not again for a while.
    /// </summary>
    // spec: PATH-36
    public void HandleDoubt(Instant now)
    {
        _doubts.Ask();
        if (_doubts.TryTake(now))
            Renew(now);
    }

    /// <summary>No path of a session answers: UDP may not get through any more, and the relay may have forgotten the channel.</summary>
    // spec: PATH-80
    public void HandleSilence(Instant now, SessionDriver session)
    {
        session.RelayClaim.Make(now, session);
        session.Relay?.Link.Drain(now, _strays);
        _silences.Ask();
        if (_silences.TryTake(now))
            Renew(now);
    }

    /// <summary>
    /// A peer says that it sees this one at an address that nobody was told. Its word is told to nobody, or it could make all
    /// others send to whom it likes; a server can say whether it is true. The peer itself knows already.
    /// </summary>
    // spec: PATH-36
    public void HandleObserved(Instant now, NetworkAddress address)
    {
        if (_options.AllowDirectPaths && !HostCandidates.IsLoopback(address) && !_own.Knows(address))
            HandleDoubt(now);
    }

    /// <summary>Tells the server that this peer goes.</summary>
    public void Leave(Instant now)
    {
        _links.Home?.Client.Leave();
        _links.Home?.Drain(now, _strays);
        _registered.TrySetException(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
        _ = _registered.Task.Exception;
    }

    // spec: PATH-81
    private void Hold(Instant now, RendezvousLink link)
    {
        foreach (SessionDriver session in _sessions.All)
        {
            if (session.Relay?.Link == link)
                session.Hold(now + s_hold);
        }
    }

    private void HandleJoined(Instant now, RendezvousLink link, ChannelJoined joined)
    {
        foreach (SessionDriver session in _sessions.All)
        {
            if (session.Relay is not { } relay || relay.Link != link || !session.RelayClaim.TryTake(joined) || relay.Leg == joined.Leg)
                continue;
            session.Relay = relay.WithLeg(joined.Leg);
            session.Hold(now + s_holdForPeer); // The other peer may need longer to be back, or to find another server.
            session.HandleRelayMoved(now);
        }
    }

    private void DeliverNews(Instant now, RendezvousLink link)
    {
        while (link.Client.TryPollEvent(out RendezvousEvent? news))
        {
            if (news is ServerUnreachable)
                link.HandleSilence(now);
            if (news is WayAnswered)
                link.HandleWayAnswered(now);
            Handle(now, link, news);
            _dialing.HandleNews(now, link, news);
        }

        if (link.TakeWayChange(now))
            HandleWayChange(now, link);
    }

    // The relay path is the same, but what is on its way may be lost, and whatever silence was counted belongs to the way that was left.
    // spec: RLY-14
    private void HandleWayChange(Instant now, RendezvousLink link)
    {
        Log.WayChanged(_options.Logger, link.UdpAddress, link.Way);
        foreach (SessionDriver session in _sessions.All)
        {
            if (session.Relay?.Link == link)
                session.HandleRelayMoved(now);
        }
    }

    private void Handle(Instant now, RendezvousLink link, RendezvousEvent news)
    {
        switch (news)
        {
            case OfferReceived offer:
                HandleOffer(now, link, offer);
                break;
            case ObservedAddressChanged { Observed: var address } when _options.AllowDirectPaths && link.MayVouchFor(address): // spec: RDV-50
                Announce(new Candidate(CandidateKind.Reflexive, address));
                _nat.HandleObserved(now, link, isHome: link == _links.Home);
                break;
            case ChannelJoined joined:
                HandleJoined(now, link, joined);
                break;
            case PeerRegistered when link == _links.Home:
                Log.Registered(_options.Logger, link.Server);
                _registered.TrySetResult();
                break;
            case ServerUnreachable when link == _links.Home:
                Log.ServerUnreachable(_options.Logger, _options.Rendezvous?.ToString() ?? "");
                _registered.TrySetException(DialFindings.ServerIsSilent(_options.Rendezvous));
                break;
        }
    }

    private void HandleOffer(Instant now, RendezvousLink link, OfferReceived offer)
    {
        Span<byte> reply = stackalloc byte[HandshakeResponder.MaxReplySize];
        int length = _answering.Handle(
            now, offer.Initiator, path: null, RelayRoute.From(link, offer.Leg), offer.Init.Span, reply, out SessionDriver? session);
        if (length == 0)
            return;
        link.Client.Answer(offer.Offer, reply[..length]);
        if (session is not null)
            link.Introduce(now, session, offer.Initiator, _options.AllowDirectPaths);
    }

    private void Announce(Candidate reflexive)
    {
        _own.Reflexive = reflexive;
        foreach (SessionDriver session in _sessions.All)
            session.AddLocalCandidate(reflexive);
    }
}
