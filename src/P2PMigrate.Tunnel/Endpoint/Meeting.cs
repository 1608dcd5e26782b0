using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Nat;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;

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

    private readonly Pace _doubts = new(DoubtInterval, DoubtInterval);
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
    public Meeting(TunnelOptions options, OwnCandidates own, Answering answering, Dialing dialing, SessionTable sessions, StrayDatagrams strays, NatWatch nat)
    {
        _nat = nat;
        _options = options;
        _own = own;
        _links = new RendezvousLinks(options);
        _answering = answering;
        _dialing = dialing;
        _sessions = sessions;
        _strays = strays;
    }

    /// <summary>Completes when others can find this peer; faults when the server stays silent. Any thread.</summary>
    public Task Registered => _registered.Task;

    /// <summary>The earliest deadline.</summary>
    public Instant NextTimeout => Instant.Min(_links.NextTimeout, _doubts.NextTimeout);

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
        if (_doubts.TryTake(now))
            Renew(now);
        for (int i = _links.Count - 1; i >= 0; i--)
        {
            RendezvousLink link = _links[i];
            link.HandleTimeout(now);
            DeliverNews(now, link);
            link.Drain(_strays);
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
            _links[i].Client.Renew(now);
            _links[i].Drain(_strays);
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
    public void Leave()
    {
        _links.Home?.Client.Leave();
        _links.Home?.Drain(_strays);
        _registered.TrySetException(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
        _ = _registered.Task.Exception;
    }

    private void DeliverNews(Instant now, RendezvousLink link)
    {
        while (link.Client.TryPollEvent(out RendezvousEvent? news))
        {
            if (news is ServerUnreachable)
                link.HandleSilence();
            Handle(now, link, news);
            _dialing.HandleNews(now, link, news);
        }
    }

    private void Handle(Instant now, RendezvousLink link, RendezvousEvent news)
    {
        switch (news)
        {
            case OfferReceived offer:
                HandleOffer(now, link, offer);
                break;
            case ObservedAddressChanged { Observed: var address } when _options.AllowDirectPaths:
                Announce(new Candidate(CandidateKind.Reflexive, address));
                _nat.HandleObserved(now, link, isHome: link == _links.Home);
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
            now, offer.Initiator, path: null, RelayRoute.From(link.Server, offer.Leg), offer.Init.Span, reply, out SessionDriver? session);
        if (length == 0)
            return;
        link.Client.Answer(offer.Offer, reply[..length]);
        if (_options.AllowDirectPaths)
            session?.AddVouchedCandidate(now, offer.Initiator);
    }

    private void Announce(Candidate reflexive)
    {
        _own.Reflexive = reflexive;
        foreach (SessionDriver session in _sessions.All)
            session.AddLocalCandidate(reflexive);
    }
}
