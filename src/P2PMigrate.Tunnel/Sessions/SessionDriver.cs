using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Datagrams;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>
/// The loop's side of a session: it owns the <see cref="TunnelConnection"/> and moves bytes and events between it and
/// what the application holds. Everything but <see cref="OpenAsync"/> and <see cref="RequestClose"/> runs on the loop.
/// </summary>
internal sealed partial class SessionDriver : IDisposable, ISiblingOwner
{
    private readonly TunnelConnection _connection;
    private readonly DatagramLoop _loop;
    private readonly ILogger _logger;
    private readonly SessionFacts _facts;
    private readonly SessionClosing _closing;
    private readonly StreamOpenings _openings;
    private readonly Dictionary<StreamId, TunnelStream> _streams = [];
    private readonly SessionDatagrams _datagrams;
    private readonly LateFlushes _lateFlushes = new();
    private readonly SessionSockets _sockets;
    private readonly Silence _silence = new();
    private readonly FreshSocket _freshSocket = new();
    private bool _ended;
    private bool _hasAddressNews;
    private bool _wasDirect;
    private NetworkAddress _observed;

    /// <summary>
    /// Takes over <paramref name="connection"/>, which was made from <paramref name="established"/>; it may open <paramref name="siblings"/>.
    /// </summary>
    public SessionDriver(
        DatagramLoop loop, SiblingSockets? siblings, TunnelConnection connection, EstablishedSession established, Instant begun, Instant now, ILogger logger)
    {
        _sockets = new SessionSockets(siblings, this);
        _loop = loop;
        _logger = logger;
        _connection = connection;
        _datagrams = new SessionDatagrams(connection, loop.Post);
        _datagrams.Publish();
        LocalId = established.LocalId;
        RelayClaim = new RelayClaim(ChannelName.Of(established.Transcript.Span), established.Role == ConnectionRole.Initiator);
        Session = new TunnelSession(this, established, now - begun);
        _facts = new SessionFacts(Session, begun, now - begun);
        _closing = new SessionClosing(connection);
        _openings = new StreamOpenings(connection, NewStream);
    }

    /// <summary>What the peer writes into packets for this session.</summary>
    public ConnectionId LocalId { get; }

    /// <summary>The application's side.</summary>
    public TunnelSession Session { get; }

    /// <summary>What is worthless when it is late.</summary>
    public ITunnelDatagrams Datagrams => _datagrams;

    /// <summary>The relay channel of this session, if it has one.</summary>
    public RelayRoute? Relay { get; set; }

    /// <summary>What the session does to have its relay channel again.</summary>
    public RelayClaim RelayClaim { get; }

    /// <summary>Has a packet of the peer opened? Before that, the handshake may have been a recording.</summary>
    public bool IsProven => _connection.Statistics.DatagramsReceived > 0;

    /// <summary>Can data go out?</summary>
    public bool HasPath => _connection.PrimaryPath is not null;

    /// <summary>Nothing is left to send or to answer: the endpoint drops the session.</summary>
    public bool IsTerminated => _connection.IsTerminated;

    /// <summary>When <see cref="HandleTimeout"/> is due at the latest.</summary>
    // What was sent last may have caused an event, and they are delivered before.
    public Instant NextTimeout => _connection.PendingEvents > 0 ? default : Instant.Min(_connection.NextTimeout ?? Instant.Never, Instant.Min(
        Instant.Min(Instant.Min(_lateFlushes.Due, _freshSocket.NextTimeout), _silence.NextTimeout), Instant.Min(_closing.Deadline, _facts.NextPublication)));

    /// <summary>From any thread: opens a stream, as soon as the peer's limit allows.</summary>
    public async ValueTask<TunnelStream> OpenAsync(StreamPriority priority, CancellationToken cancellationToken)
    {
        var wish = new StreamOpening(_openings, (StreamClass)priority);
        _loop.Post(wish);
        using CancellationTokenRegistration registration = cancellationToken.Register(wish.Cancel);
        return await wish.Result.ConfigureAwait(false);
    }

    /// <summary>From any thread: begins a polite close, unless the session has ended.</summary>
    public void RequestClose(ulong code, string reason) => _loop.Post(new CloseWish(this, code, reason));

    /// <summary>From any thread: the application took a stream that the peer opened, which may now open another.</summary>
    public void NoteAccepted(TunnelStream stream) => _loop.Post(new AcceptedWish(_connection, stream.Id));

    /// <summary>Packets for this session came together.</summary>
    public void HandleTrain(Instant now, PathAddress path, ReadOnlySpan<byte> train, int datagramSize) =>
        _connection.HandleTrain(now, path, train, datagramSize);

    /// <inheritdoc/>
    public void HandleTrain(Instant now, LocalInterface socket, DatagramTrain train)
    {
        if (!_freshSocket.TryTake(socket, train, out NetworkAddress observed))
            _connection.HandleTrain(now, new PathAddress(socket, train.Remote), train.Bytes, train.DatagramSize);
        else if (!observed.IsNone)
            _connection.AddFreshSocket(now, socket, observed);
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        _connection.HandleTimeout(now);
        _silence.HandleTimeout(now, _connection.LastHeardAt);
        _closing.HandleTimeout(now);
        _lateFlushes.Run(now);
    }

    /// <summary>The machine refused to send datagrams of this size there.</summary>
    // spec: PATH-45
    public void HandleTooLong(Instant now, NetworkAddress remote, int size)
    {
        _connection.HandleTooLong(now, SessionFactory.DirectPath(remote), size);
        foreach (LocalInterface socket in _sockets.Numbers)
            _connection.HandleTooLong(now, new PathAddress(socket, remote), size);
        if (Relay is { } relay && relay.Server == remote)
            _connection.HandleTooLong(now, relay.Path, size - RelayFrame.HeaderSize);
        if (_connection.PrimaryPath is { Address: var path } && Turn?.SizeOf(remote, size, path) is > 0 and var lent)
            _connection.HandleTooLong(now, path, lent);
    }

    /// <summary>The rendezvous server opened a relay channel, after the session had begun on another path.</summary>
    public void AddRelay(Instant now, RelayRoute relay)
    {
        if (Relay is not null)
            return; // The first one stays: a repeated message 1 could be somebody else's, played back.
        Relay = relay;
        _connection.AddKnownPath(now, new KnownPath(relay.Path, IsRemoteProven: true));
    }

    /// <summary>Another address of the peer became known outside of the session.</summary>
    public void AddRemoteCandidate(Instant now, Candidate candidate) => _connection.AddRemoteCandidate(now, candidate);

    /// <summary>The rendezvous server sees the peer there: a candidate that may be punched, too.</summary>
    // spec: PATH-74
    public void AddVouchedCandidate(Instant now, NetworkAddress address) => _connection.AddVouchedCandidate(now, address);

    /// <summary>
    /// Takes what shows that this side may have another address outside now: the address at which the peer sees it, or none
    /// when data had to leave the direct path for the relay.
    /// </summary>
    public bool TryTakeAddressNews(out NetworkAddress observed)
    {
        (bool isNews, observed) = (_hasAddressNews, _observed);
        (_hasAddressNews, _observed) = (false, default);
        return isNews;
    }

    /// <summary>True, once, when no path to the peer answers, and again as long as that goes on.</summary>
    // spec: PATH-80
    public bool TryTakeSilence() => _silence.TryTake();

    /// <summary>Relay frames take another way to the relay from now on: the path is taken as good and probed at once.</summary>
    // spec: RLY-14
    public void HandleRelayMoved(Instant now)
    {
        if (Relay is { } relay)
            _connection.AddKnownPath(now, new KnownPath(relay.Path, IsRemoteProven: true));
    }

    /// <summary>Nothing can be heard through the relay for now: the session waits longer than usual.</summary>
    // spec: PATH-81
    public void Hold(Instant until) => _connection.Hold(until);

    /// <summary>A machine says that nobody listens at <paramref name="remote"/>.</summary>
    // spec: MIG-121
    public void HandleRefusal(Instant now, NetworkAddress remote) => _connection.HandleRefusal(now, remote);

    /// <summary>The machine's network changed, and <paramref name="candidates"/> are new: everything is probed again at once.</summary>
    public void HandleNetworkChange(Instant now, IReadOnlyList<LocalSocket> sockets, IReadOnlyList<Candidate> candidates)
    {
        foreach (Candidate candidate in candidates)
            _connection.AddLocalCandidate(candidate);
        _connection.HandleNetworkChange(now, sockets);
    }

    /// <summary>Another address of this side became known; the peer is told.</summary>
    public void AddLocalCandidate(Candidate candidate) => _connection.AddLocalCandidate(candidate);

    /// <summary>More is known of the NATs before this side; the peer is told.</summary>
    // spec: PATH-61
    public void SetLocalNat(NatProfile nat) => _connection.SetLocalNat(nat);

    /// <summary>Is a probe due that has to leave before the answer to the peer's handshake?</summary>
    // spec: PATH-85
    public bool OwesOpeners(Instant now) => _connection.OwesOpeners(now);

    /// <summary>Adds the next train to <paramref name="batch"/>, which is not full; false when there is none to send.</summary>
    public bool TryTransmit(Instant now, TransmitBatch batch)
    {
        if (_freshSocket.TrySend(now, batch, _sockets))
            return true;
        if (!_connection.TryPollTransmit(now, batch.Free, TransmitBatch.MaxTrainDatagrams, out Transmit transmit))
            return false;
        if (transmit.Path.Kind != Protocol.Paths.PathKind.Direct)
        {
            AddRelayed(now, batch, transmit);
            return true;
        }

        batch.Add(transmit.Length, transmit.DatagramSize, transmit.Path.Remote);
        if (transmit.HopLimit != 0)
            batch.LimitLast(transmit.HopLimit);
        if (transmit.Path.Local.Index != 0)
            _sockets.SendLast(transmit.Path.Local, batch);
        return true;
    }

    /// <summary>Moves bytes and news to the application.</summary>
    public void DeliverEvents(Instant now)
    {
        bool isPathChange = false;
        while (_connection.TryPollEvent(out TunnelEvent? tunnelEvent))
        {
            isPathChange |= tunnelEvent is PrimaryPathChanged;
            Handle(tunnelEvent, now);
        }

        if (_closing.IsWanted)
            _closing.Advance(now, _streams.Values);
        if (_ended)
            return;
        _datagrams.Publish();
        _facts.Publish(_connection, now, isPathChange);
    }

    /// <summary>Begins to close: what was written is delivered first, in bounded time.</summary>
    public void Close(Instant now, ulong code, string reason)
    {
        if (_ended)
            return;
        foreach (TunnelStream stream in _streams.Values)
            _facts.PayloadSent += stream.PumpOut(_connection);
        _closing.Begin(now, code, reason);
    }

    /// <summary>The session is over for the application, whatever the connection still has to say.</summary>
    public void End(CloseReason reason)
    {
        if (_ended)
            return;
        _ended = true;
        TunnelException exception = SessionEnds.ToException(reason);
        foreach (TunnelStream stream in _streams.Values)
        {
            _facts.PayloadReceived += stream.PumpIn(_connection, default, everything: true);
            stream.EndWith(exception);
        }

        _streams.Clear();
        _datagrams.EndWith(exception);
        _openings.FailAll(exception);
        _facts.PublishLast(_connection);
        Log.SessionEnded(_logger, Session.Peer.ToShortString(), exception.Message);
        Session.End(new SessionEnd(reason.Code, reason.Text, reason.ByPeer, reason.IsLost), exception);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End(_connection.CloseReason ?? new CloseReason(TunnelErrorCode.None, "the endpoint was disposed", ByPeer: false, IsLost: false));
        _sockets.Release([]);
        _connection.Dispose();
    }

    private void Handle(TunnelEvent tunnelEvent, Instant now)
    {
        switch (tunnelEvent)
        {
            case StreamOpened opened:
                Session.Offer(NewStream(opened.Stream));
                break;
            case StreamReadable readable when _streams.TryGetValue(readable.Stream, out TunnelStream? stream):
                PumpIn(stream, now);
                break;
            case StreamReset reset when _streams.TryGetValue(reset.Stream, out TunnelStream? stream):
                PumpIn(stream, now);
                break;
            case StreamWritable writable when _streams.TryGetValue(writable.Stream, out TunnelStream? stream):
                PumpOut(stream);
                break;
            case StreamStopped stopped when _streams.TryGetValue(stopped.Stream, out TunnelStream? stream):
                stream.EndOutput(new TunnelException("The peer stopped reading this stream.", stopped.Code));
                ForgetIfDone(stream);
                break;
            case StreamsAvailable available:
                _openings.Retry(available.Class);
                break;
            case PrimaryPathChanged changed:
                Log.PathChanged(_logger, Session.Peer.ToShortString(), (PathKind)changed.Path.Kind, changed.Path.Address.Remote);
                NotePath(changed.Path.Kind == Protocol.Paths.PathKind.Direct);
                break;
            case PathsSilent:
                _silence.Begin(now);
                break;
            case AddressObserved { Address: var address }:
                (_hasAddressNews, _observed) = (true, address);
                break;
            case SocketsReleased released:
                _sockets.Release(released.Kept);
                _freshSocket.HandleReleased(released.Kept);
                break;
            case FreshSocketWanted wanted:
                _freshSocket.Open(wanted.Socket, Relay?.Link.UdpAddress ?? default);
                break;
            case DatagramsAvailable:
                _datagrams.Deliver();
                break;
            case ConnectionClosed closed:
                End(closed.Reason);
                break;
        }
    }

    // A direct path that died may have died of a NAT that maps us to another port.
    private void NotePath(bool isDirect)
    {
        _hasAddressNews |= _wasDirect && !isDirect;
        _wasDirect = isDirect;
    }

    private TunnelStream NewStream(StreamId id)
    {
        var stream = new TunnelStream(id, _loop.Post, Attend);
        _streams.Add(id, stream);
        _connection.SetReader(id, stream.Reader);
        return stream;
    }

    private void Attend(TunnelStream stream, Instant now)
    {
        if (_ended || !_streams.ContainsKey(stream.Id))
            return;
        _connection.SetWeight(stream.Id, stream.Weight);
        PumpOut(stream);
        PumpIn(stream, now);
    }

    private void PumpIn(TunnelStream stream, Instant now)
    {
        _facts.PayloadReceived += stream.PumpIn(_connection, now);
        _lateFlushes.Note(stream);
        ForgetIfDone(stream);
    }

    private void PumpOut(TunnelStream stream)
    {
        _facts.PayloadSent += stream.PumpOut(_connection);
        ForgetIfDone(stream);
    }

    private void ForgetIfDone(TunnelStream stream)
    {
        if (stream.IsDone)
            _streams.Remove(stream.Id);
    }

    /// <summary>The application took a stream.</summary>
    private sealed class AcceptedWish(TunnelConnection connection, StreamId stream) : IWish
    {
        public void Fulfil(Instant now) => connection.AcceptStream(stream);

        public void Refuse()
        {
            // Nobody opens streams any more.
        }
    }

    /// <summary>The application's wish to close.</summary>
    private sealed class CloseWish(SessionDriver driver, ulong code, string reason) : IWish
    {
        public void Fulfil(Instant now) => driver.Close(now, code, reason);

        public void Refuse()
        {
            // The loop ended every session when it ended.
        }
    }
}
