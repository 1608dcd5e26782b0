using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Nat;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tls;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// Everything behind one socket: sessions, dials, the responder, the talk with rendezvous servers. It tells datagrams
/// apart by their first byte, hands each to its part, and collects what the parts want sent. Loop only.
/// </summary>
internal sealed class EndpointDriver : IDatagramOwner
{
    private readonly TunnelOptions _options;
    private readonly LoopClock _clock;
    private readonly OwnCandidates _own;
    private readonly StrayDatagrams _strays;
    private readonly SessionTable _sessions = new();
    private readonly SessionFactory _factory;
    private readonly Answering _answering;
    private readonly Dialing _dialing;
    private readonly Meeting _meeting;
    private readonly Roaming _roaming;

    /// <summary>Everything for <paramref name="socket"/>, which the loop owns; <paramref name="bind"/> makes further sockets in its network, if that is not the process's.</summary>
    public EndpointDriver(TunnelOptions options, DatagramLoop loop, IDatagramSocket socket, LoopClock clock, Func<IPEndPoint, Socket>? bind = null, TlsDialer? dialer = null)
    {
        _options = options;
        _clock = clock;
        _own = new OwnCandidates(socket, options.AllowDirectPaths);
        _strays = new StrayDatagrams(socket);
        Turn = options.Turn is null ? null : new TurnLink(socket.Siblings, _sessions, ReplaceRelayed, options.Logger);
        SessionFactory factory = _factory = new SessionFactory(loop, socket, options, Turn);
        var responderOptions = new HandshakeResponderOptions
        {
            Identity = options.Identity, Tickets = Tickets, Suites = options.Suites, Parameters = options.Parameters,
        };
        var responder = new HandshakeResponder(responderOptions, CryptographicEntropy.Instance);
        _answering = new Answering(responder, _own, _sessions, factory, clock, options.Logger);
        _dialing = new Dialing(options, _own, _sessions, factory, _strays, clock);
        Nat = new NatWatch(loop, _own, _sessions, _strays, options.AllowDirectPaths, bind);
        _meeting = new Meeting(options, _own, _answering, _dialing, _sessions, _strays, Nat, dialer);
        NetworkChanges = new NetworkChanges(loop);
        _roaming = new Roaming(NetworkChanges, _own, _sessions, factory, _meeting, Nat, Turn);
    }

    /// <summary>The address that a TURN server lends, if there is a server.</summary>
    public TurnLink? Turn { get; }

    /// <summary>What is known of the NATs before this endpoint.</summary>
    public NatWatch Nat { get; }

    /// <summary>Where a watch tells of changes of the machine's network.</summary>
    public NetworkChanges NetworkChanges { get; }

    /// <summary>The tickets that this peer issued.</summary>
    public TicketBook Tickets { get; } = new();

    /// <summary>The responder's part.</summary>
    public Answering Answering => _answering;

    /// <summary>The part that talks with rendezvous servers.</summary>
    public Meeting Meeting => _meeting;

    /// <inheritdoc/>
    public Instant NextTimeout =>
        Instant.Min(Instant.Min(_sessions.NextTimeout, _roaming.NextTimeout), Instant.Min(Instant.Min(_dialing.NextTimeout, Nat.NextTimeout), Instant.Min(_meeting.NextTimeout, Turn?.NextTimeout ?? Instant.Never)));

    /// <summary>Before the loop: looks at the machine's addresses, so that no peer waits for that; <paramref name="isWatched"/>: changes are told from now on.</summary>
    public void Prepare(Instant now, bool isWatched)
    {
        _own.LookAgain(now);
        _own.IsWatched = isWatched;
    }

    /// <summary>Registers at a rendezvous server, so that others find this peer.</summary>
    public void Register(Instant now, ServerAddresses server) => _meeting.Register(now, server);

    /// <summary>Gateways map these addresses to this endpoint, and no others any more: peers learn of them now, later ones in their handshake.</summary>
    // spec: PATH-51
    public int ReplaceMapped(IReadOnlyList<Candidate> mapped)
    {
        _own.Mapped = mapped;
        foreach (SessionDriver session in _sessions.All)
        {
            foreach (Candidate candidate in mapped)
                session.AddLocalCandidate(candidate);
        }

        return mapped.Count;
    }

    /// <summary>The addresses that gateways map to this endpoint now.</summary>
    public IReadOnlyList<IPEndPoint> Mapped => [.. _own.Mapped.Select(candidate => candidate.Address.ToEndPoint())];

    /// <summary>Begins an attempt to reach the issuer of a ticket.</summary>
    public Dial BeginDial(Instant now, DialTarget target) => _dialing.Begin(now, target, _meeting.LinkTo(now, target.Rendezvous));

    /// <summary>A ticket that is open until <paramref name="expiresAtUnixSeconds"/>.</summary>
    public Ticket IssueTicket(Instant now, long expiresAtUnixSeconds)
    {
        var ticket = new Ticket
        {
            Responder = _options.Identity.Public,
            Rendezvous = _options.Rendezvous,
            Hints = [.. _own.For(now, peer: default).Where(candidate => candidate.Kind is CandidateKind.Host or CandidateKind.Mapped).Take(Ticket.MaxHints).Select(candidate => candidate.Address)],
            Secret = TicketSecret.Create(CryptographicEntropy.Instance),
            ExpiresAtUnixSeconds = expiresAtUnixSeconds,
        };
        Tickets.Add(ticket, _clock.Utc.ToUnixTimeSeconds());
        return ticket;
    }

    /// <summary>Remembers tickets of a former life; returns how many.</summary>
    public int RestoreTickets(IReadOnlyCollection<TicketRecord> tickets)
    {
        foreach (TicketRecord ticket in tickets)
            Tickets.Restore(ticket, _clock.Utc.ToUnixTimeSeconds());
        return tickets.Count;
    }

    /// <inheritdoc/>
    public bool HasRoom => true; // What sessions have to say is written when it is sent.

    /// <inheritdoc/>
    public void HandleTrain(Instant now, DatagramTrain train)
    {
        ReadOnlySpan<byte> rest = train.Bytes;
        while (!rest.IsEmpty)
        {
            int length = LengthOfPackets(rest, train.DatagramSize);
            if (length > 0)
                HandlePackets(now, train.Remote, rest[..length], train.DatagramSize);
            else
                HandleDatagram(now, train.Remote, rest[..(length = Math.Min(train.DatagramSize, rest.Length))]);
            rest = rest[length..];
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(Instant now)
    {
        _roaming.HandleTimeout(now);
        foreach (SessionDriver session in _sessions.All)
            session.HandleTimeout(now);
        _dialing.HandleTimeout(now);
        _meeting.HandleTimeout(now);
        Nat.HandleTimeout(now);
        Turn?.HandleTimeout(now);
    }

    /// <inheritdoc/>
    public void DeliverEvents(Instant now)
    {
        foreach (SessionDriver session in _sessions.All)
            session.DeliverEvents(now);
        _roaming.CollectNews(now);
        _answering.DeliverProven(now);
        _dialing.DeliverProven(now);
        _dialing.DropFinished();
    }

    /// <inheritdoc/>
    public void FillTransmits(Instant now, TransmitBatch batch)
    {
        AddOpeners(now, batch);
        _strays.MoveTo(batch);
        Turn?.SendOwn(batch);
        int silent = 0;
        while (!batch.IsFull && silent < _sessions.All.Length)
            silent = _sessions.Next().TryTransmit(now, batch) ? 0 : silent + 1;
        Turn?.SendOwn(batch); // What the sessions had to send may need permissions.
        if (!batch.IsFull)
            _sessions.DropTerminated();
    }

    /// <inheritdoc/>
    public void HandleTooLong(Instant now, NetworkAddress remote, int size)
    {
        foreach (SessionDriver session in _sessions.All)
            session.HandleTooLong(now, remote, size);
    }

    /// <summary>A machine says that nobody listens at <paramref name="remote"/>; returns how many sessions there are to care.</summary>
    // spec: MIG-121
    public int HandleRefusal(Instant now, NetworkAddress remote)
    {
        foreach (SessionDriver session in _sessions.All)
            session.HandleRefusal(now, remote);
        return _sessions.All.Length;
    }

    /// <summary>Says goodbye on every session. What is returned completes when all peers have heard it.</summary>
    public Task CloseAll(Instant now)
    {
        _dialing.FailAll(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
        _answering.Leave();
        _meeting.Leave(now);
        foreach (SessionDriver session in _sessions.All)
            session.Close(now, TunnelErrorCode.None, "the endpoint was disposed");
        return _sessions.WhenEmptyAsync();
    }

    /// <inheritdoc/>
    public void HandleStopped(Exception? error)
    {
        if (error is not null)
            Log.LoopFailed(_options.Logger, error);
        var exception = new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed.", error);
        _meeting.Leave(_clock.Now);
        Nat.Stop();
        _dialing.FailAll(exception);
        _dialing.DeliverProven(_clock.Now);
        _dialing.DropFinished();
        foreach (SessionDriver session in _sessions.All)
        {
            if (error is not null)
                session.End(new CloseReason(TunnelErrorCode.Internal, "the endpoint failed", ByPeer: false, IsLost: false));
            session.Dispose();
        }

        _answering.Stop(exception);
    }

    // The answer to a handshake is among the strays, and the peer sends as soon as it has that.
    // spec: PATH-85
    private void AddOpeners(Instant now, TransmitBatch batch)
    {
        foreach (SessionDriver session in _sessions.All)
        {
            while (!batch.IsFull && session.OwesOpeners(now) && session.TryTransmit(now, batch))
            {
            }
        }
    }

    // spec: TURN-01
    private void ReplaceRelayed(Instant now, Candidate? relayed)
    {
        _own.Relayed = relayed;
        foreach (SessionDriver session in _sessions.All)
            session.SetTurn(now, _factory.Sockets, relayed);
    }

    private void HandleDatagram(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        PathAddress path = SessionFactory.DirectPath(remote);
        switch (FirstByte.Classify(datagram))
        {
            case DatagramType.RelayFrame:
                HandleRelayFrame(now, remote, datagram);
                break;
            case DatagramType.Rendezvous:
                _meeting.Handle(now, remote, datagram);
                break;
            case DatagramType.HandshakeInit when _options.AllowDirectPaths:
                HandleInit(now, remote, datagram);
                break;
            case DatagramType.HandshakeResponse or DatagramType.CookieReply when _options.AllowDirectPaths:
                _dialing.HandleDirect(now, path, datagram);
                break;
        }
    }

    // How many bytes at the front are packets for one session.
    private static int LengthOfPackets(ReadOnlySpan<byte> train, int datagramSize)
    {
        int length = 0;
        ConnectionId destination = default;
        while (length < train.Length && PacketHeader.TryParse(train[length..], out PacketHeader header, out _)
            && (length == 0 || header.Destination == destination))
        {
            destination = header.Destination;
            length += datagramSize;
        }

        return Math.Min(length, train.Length);
    }

    private void HandlePackets(Instant now, NetworkAddress remote, ReadOnlySpan<byte> train, int datagramSize)
    {
        if (_options.AllowDirectPaths && PacketHeader.TryParse(train, out PacketHeader header, out _))
            _sessions.Find(header.Destination)?.HandleTrain(now, SessionFactory.DirectPath(remote), train, datagramSize);
    }

    private void HandleRelayFrame(Instant now, NetworkAddress remote, ReadOnlySpan<byte> frame)
    {
        if (!RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _)
            || !PacketHeader.TryParse(inner, out PacketHeader header, out _))
            return;
        // A leg is a secret between its session and the relay: a frame on another one is nobody's.
        if (_sessions.Find(header.Destination) is { Relay: { } route } session && route.IsFrom(remote, leg))
            session.HandleTrain(now, route.Path, inner, inner.Length);
    }

    private void HandleInit(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        Span<byte> reply = stackalloc byte[HandshakeResponder.MaxReplySize];
        int length = _answering.Handle(now, remote, SessionFactory.DirectPath(remote), relay: null, datagram, reply, out _);
        if (length > 0)
            _strays.Add(reply[..length], remote);
    }
}
