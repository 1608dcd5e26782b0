using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// The talk with one rendezvous server: the pure client, and the way to the server: the address of its name's that answered
/// first, or a TLS connection while UDP does not get through. Loop only.
/// </summary>
// spec: RDV-18, RLY-14, RLY-17
internal sealed class RendezvousLink(ServerAddresses addresses, RendezvousClientCore client, TlsDialer? dialer = null)
{
    private readonly byte[] _buffer = new byte[RendezvousClientCore.MaxDatagramSize];
    private readonly ServerWay _way = new();
    private NetworkAddress _udp = addresses.All[0];
    private bool _isKnown;
    private NetworkAddress _lastUdp;
    private DatagramStream? _stream;
    private int _firstByStream;
    private Instant? _askedFirst;
    private int _asked = 1;
    private bool _isWayNew;
    private bool _isClosed;

    /// <summary>Where messages and relay frames for the server go now, as far as is known: a connection's address while UDP does not pass.</summary>
    public NetworkAddress Server => _way.Current == ServerWayKind.Stream && _stream is { } stream ? stream.Address : _udp;

    /// <summary>The server's UDP address, as far as is known, whatever way is taken.</summary>
    public NetworkAddress UdpAddress => _udp;

    /// <summary>How the server is reached now.</summary>
    public ServerWayKind Way => _way.Current;

    /// <summary>The pure client.</summary>
    public RendezvousClientCore Client => client;

    /// <summary>The earliest deadline.</summary>
    public Instant NextTimeout => Instant.Min(client.NextTimeout, _way.NextTimeout(dialer is not null));

    /// <summary>Has the server been silent for a while by every way there is?</summary>
    public bool IsSilent(Instant now) => _way.IsLate(now);

    /// <summary>May a datagram from <paramref name="remote"/> be the server's?</summary>
    public bool IsFrom(NetworkAddress remote) => remote.IsStream ? remote == _stream?.Address
        : _isKnown ? _udp == remote : addresses.All.Contains(remote);

    /// <summary>Is that one of the addresses of the server's name? All of them lead to one server, whichever it answers from.</summary>
    public bool Has(NetworkAddress address) => addresses.All.Contains(address);

    /// <summary>Is an address of a peer that this server tells one that it can know?</summary>
    // spec: RDV-50
    public bool MayVouchFor(NetworkAddress address) => Vouching.IsBelievable(_udp, address);

    /// <summary>
    /// The server tells where the peer of <paramref name="session"/> is: a candidate if the server can know that, to be punched where
    /// <paramref name="isDirectAllowed"/>. Where it is not, the address is for a socket of a TURN server, if there is one.
    /// </summary>
    // spec: RDV-50
    public void Introduce(Instant now, SessionDriver session, NetworkAddress peer, bool isDirectAllowed)
    {
        if (!MayVouchFor(peer))
            return;
        if (isDirectAllowed)
            session.AddVouchedCandidate(now, peer);
        else
            session.AddRemoteCandidate(now, new Candidate(CandidateKind.Reflexive, peer));
    }

    /// <summary>A rendezvous message came from where the server may be.</summary>
    public void Handle(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (!remote.IsStream)
            _lastUdp = remote;
        if (client.Handle(now, datagram) != Refusal.None)
            return;
        if (!remote.IsStream)
            (_udp, _isKnown) = (remote, true);
        _isWayNew |= _way.HandleAnswer(now, remote.IsStream);
    }

    /// <summary>The server answered the question whether UDP works.</summary>
    public void HandleWayAnswered(Instant now)
    {
        (_udp, _isKnown) = (_lastUdp, true);
        _isWayNew |= _way.HandleProbeAnswered(now);
    }

    /// <summary>Does what is due. While none of the addresses answers, more and more of them are asked.</summary>
    public void HandleTimeout(Instant now)
    {
        _askedFirst ??= now;
        _asked = addresses.CountAfter(now - _askedFirst.Value);
        client.HandleTimeout(now);
        if (dialer is not null && _way.TakeOpenWish(now))
            dialer.Begin(addresses, _firstByStream, HandleOpened, HandleEnded);
        if (_way.TakeCloseWish(now))
            _stream?.Finish();
        if (_stream is { } stream && _way.TakeDropWish(now, stream.Silence))
            stream.Dispose();
    }

    /// <summary>The server has said nothing for long: all its addresses are asked again.</summary>
    public void HandleSilence(Instant now)
    {
        _isKnown = false;
        _way.HandleSilence(now);
    }

    /// <summary>The machine's network, or this peer's address outside of it, may be another one now.</summary>
    public void Renew(Instant now)
    {
        _way.HandleNetworkChange(now);
        if (_stream is { IsStranded: true } stream)
            stream.Dispose();
        client.Renew(now);
    }

    /// <summary>True, once, after relay frames have begun to take another way; what the server knows of this peer is renewed by then.</summary>
    public bool TakeWayChange(Instant now)
    {
        bool isNew = _isWayNew;
        _isWayNew = false;
        if (isNew)
            client.Renew(now);
        return isNew;
    }

    /// <summary>Moves what the client wants to say to <paramref name="strays"/>.</summary>
    public void Drain(Instant now, StrayDatagrams strays)
    {
        while (client.TryPollTransmit(_buffer, out int length))
        {
            if (RendezvousClientCore.IsRequest(_buffer.AsSpan(0, length)))
                _way.HandleRequest(now);
            Send(now, strays, _buffer.AsSpan(0, length));
        }

        if (_way.TakeProbeWish(now))
            Ask(strays, _buffer.AsSpan(0, client.WriteWayProbe(_buffer)));
    }

    /// <summary>Nobody needs the server any more.</summary>
    public void Close()
    {
        _isClosed = true;
        _stream?.Finish();
    }

    private void Send(Instant now, StrayDatagrams strays, ReadOnlySpan<byte> message)
    {
        bool isByStream = _way.Current == ServerWayKind.Stream;
        if (!isByStream && _isKnown)
            strays.Add(message, _udp);
        else if (!isByStream)
            Ask(strays, message);
        if (_stream is { } stream && (isByStream || _way.Current == ServerWayKind.None || _way.IsLate(now)))
            strays.Add(message, stream.Address);
    }

    private void Ask(StrayDatagrams strays, ReadOnlySpan<byte> message)
    {
        for (int i = 0; i < _asked; i++)
            strays.Add(message, addresses.All[i]);
    }

    private void HandleOpened(Instant now, DatagramStream? stream)
    {
        _way.HandleOpened(now, stream is not null);
        _stream = stream;
        if (_isClosed)
            stream?.Finish();
        else if (stream is not null && (_way.Current != ServerWayKind.Udp || _way.IsLate(now)))
            client.HandleNewWay(now);
    }

    private void HandleEnded(Instant now)
    {
        _firstByStream = _stream is { } stream ? IndexAfter(stream.Remote) : 0;
        _stream = null;
        _way.HandleEnded(now);
        if (!_isClosed && _way.Current == ServerWayKind.None)
            client.Renew(now);
    }

    private int IndexAfter(NetworkAddress remote)
    {
        for (int i = 0; i < addresses.All.Count; i++)
        {
            if (addresses.All[i].HasSameHost(remote))
                return (i + 1) % addresses.All.Count;
        }

        return 0;
    }
}

/// <summary>
/// Every server that this endpoint talks to: the one where it is registered, and those of the tickets that it dials. Loop only.
/// </summary>
internal sealed class RendezvousLinks(TunnelOptions options, TlsDialer? dialer)
{
    private readonly List<RendezvousLink> _links = [];

    /// <summary>How many there are.</summary>
    public int Count => _links.Count;

    /// <summary>One of them.</summary>
    public RendezvousLink this[int index] => _links[index];

    /// <summary>The server where others find this peer.</summary>
    public RendezvousLink? Home { get; private set; }

    /// <summary>The earliest deadline of all.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (RendezvousLink link in _links)
                next = Instant.Min(next, link.NextTimeout);
            return next;
        }
    }

    /// <summary>Registers at <paramref name="server"/>. Once.</summary>
    public void Register(Instant now, ServerAddresses server) => Home = Add(now, server, isRegistering: true);

    /// <summary>The link to a server, a new one if need be.</summary>
    public RendezvousLink GetOrAdd(Instant now, ServerAddresses server) =>
        _links.Find(link => server.All.Any(link.Has)) ?? Add(now, server, isRegistering: false);

    /// <summary>The link to the server that may be at <paramref name="remote"/>.</summary>
    public RendezvousLink? Find(NetworkAddress remote) => _links.Find(link => link.IsFrom(remote));

    /// <summary>Forgets one that nobody needs any more.</summary>
    public void RemoveAt(int index)
    {
        _links[index].Close();
        _links.RemoveAt(index);
    }

    private RendezvousLink Add(Instant now, ServerAddresses server, bool isRegistering)
    {
        var clientOptions = new RendezvousClientOptions { Identity = options.Identity, IsRegistering = isRegistering };
        var link = new RendezvousLink(server, new RendezvousClientCore(clientOptions, CryptographicEntropy.Instance), dialer);
        link.Client.Start(now);
        _links.Add(link);
        return link;
    }
}
