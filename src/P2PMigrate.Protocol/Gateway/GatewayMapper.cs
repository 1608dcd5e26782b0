using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// Keeps a port of the gateway mapped to this peer, by the best protocol that the gateway speaks, without sockets: give it
/// what comes from them and the time, and after every input drain <see cref="TryPollTransmit"/>,
/// <see cref="TryPollExchange"/> and <see cref="TryPollEvent"/>. One for each gateway; one owner, not thread-safe.
/// </summary>
/// <remarks>
/// All protocols search at once; to search changes nothing at the gateway, except that PCP, the best, maps with its first
/// message. A worse one is asked to map only when the better ones have failed or had their head start.
/// spec: chapter 07, section 5.
/// </remarks>
public sealed class GatewayMapper
{
    /// <summary>How long an HTTP exchange may take; longer ones are given up.</summary>
    public static readonly TimeSpan ExchangePatience = UpnpClient.ExchangePatience;

    /// <summary>The longest HTTP response that is read.</summary>
    public const int MaxReplySize = HttpReply.MaxSize;

    /// <summary>The port to which gateways announce, on every host of the network, that they have begun anew.</summary>
    public const ushort AnnouncementPort = NatPmp.AnnouncementPort;

    /// <summary>How long each protocol has before the next one is asked.</summary>
    // spec: PATH-52, CONST-207
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Pause before another search when none found anything; it doubles from there. A mapping that stood for longer and was
    /// lost is searched for at once.
    /// </summary>
    // spec: PATH-54, CONST-208
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between two searches.</summary>
    // spec: PATH-54, CONST-208
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>Announcements that come sooner after one are not listened to: anybody on the network could send them.</summary>
    // spec: PATH-54, CONST-209
    public static readonly TimeSpan AnnouncementPause = TimeSpan.FromSeconds(1);

    private readonly GatewayMapperOptions _options;
    private readonly GatewayOutbox _outbox = new();
    private readonly PcpClient _pcp;
    private readonly NatPmpClient _natPmp;
    private readonly UpnpClient _upnp;
    private readonly MappingClient[] _clients;
    private readonly HashSet<MappingRefused> _reported = [];
    private MappingClient? _chosen;
    private Instant _startedAt;
    private Instant _searchAt = Instant.Never;
    private Instant? _announcedAt;
    private Instant? _mappedAt;
    private TimeSpan _pause = FirstPause;
    private bool _isReleasing;

    /// <summary>Silent until <see cref="Start"/>.</summary>
    public GatewayMapper(GatewayMapperOptions options, IEntropy entropy)
    {
        _options = options;
        _pcp = new PcpClient(options, _outbox, entropy);
        _natPmp = new NatPmpClient(options, _outbox);
        _upnp = new UpnpClient(options, _outbox, entropy);
        MappingProtocols spoken = options.Internal.Family == IpFamily.V4 ? options.Protocols : options.Protocols & MappingProtocols.Pcp;
        _clients = [.. new MappingClient[] { _pcp, _natPmp, _upnp }.Where(client => spoken.HasFlag((MappingProtocols)(1 << (int)client.Protocol)))];
    }

    /// <summary>The mapping that stands now.</summary>
    public PortMapping? Mapping { get; private set; }

    /// <summary>After <see cref="Release"/>: has the gateway forgotten everything, as far as it can be told?</summary>
    public bool IsReleased => _isReleasing && _clients.All(client => client.IsReleased);

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => Instant.Min(
        _clients.Aggregate(Instant.Never, (earliest, client) => Instant.Min(earliest, client.NextTimeout)),
        Instant.Min(_searchAt, IsSearching ? NextHeadStart : Instant.Never));

    private bool IsSearching => _chosen is null && _searchAt == Instant.Never && !_isReleasing;

    /// <summary>Where each protocol's wait for the better ones ends, the earliest that is still to come.</summary>
    private Instant NextHeadStart { get; set; } = Instant.Never;

    /// <summary>Begins.</summary>
    public void Start(Instant now)
    {
        _searchAt = Instant.Never;
        _startedAt = now;
        _chosen = null;
        foreach (MappingClient client in _clients)
            client.Search(now);
        Settle(now);
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now >= _searchAt)
            Start(now);
        foreach (MappingClient client in _clients)
            client.HandleTimeout(now);
        Settle(now);
    }

    /// <summary>
    /// A datagram came to one of the driver's sockets. Only the gateway's own are listened to, and to questions only from
    /// the port that was asked.
    /// </summary>
    // spec: PATH-53
    public Refusal Handle(Instant now, GatewayChannel channel, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        bool isServer = source.Port == Pcp.ServerPort || channel == GatewayChannel.Search;
        if (!source.HasSameHost(_options.Gateway) || !isServer)
            return Refusal.Unexpected;
        Refusal refusal = channel switch
        {
            GatewayChannel.Control => HandleControl(now, datagram),
            GatewayChannel.Search => _clients.Contains(_upnp) ? _upnp.HandleSearchAnswer(now, datagram) : Refusal.Unexpected,
            _ => HandleAnnouncement(now, datagram),
        };
        Settle(now);
        return refusal;
    }

    /// <summary>An exchange is over: all that the server sent until it closed the connection; nothing when there was no connection.</summary>
    public Refusal HandleReply(Instant now, int exchange, ReadOnlySpan<byte> reply)
    {
        Refusal refusal = _upnp.HandleReply(now, exchange, reply);
        Settle(now);
        return refusal;
    }

    /// <summary>Is this all of an HTTP response, so that the driver need not wait for the end of the connection?</summary>
    public static bool IsWholeReply(ReadOnlySpan<byte> bytes) => HttpReply.TryParse(bytes, isClosed: false, out _, out Refusal refusal) || refusal != Refusal.Truncated;

    /// <summary>Asks the gateway to forget all that it was asked for. Nothing is mapped or renewed afterwards.</summary>
    // spec: PATH-56
    public void Release(Instant now)
    {
        _isReleasing = true;
        _searchAt = Instant.Never;
        foreach (MappingClient client in _clients)
            client.Release(now);
        Announce(null);
    }

    /// <summary>The next datagram.</summary>
    public bool TryPollTransmit(out GatewayTransmit transmit) => _outbox.TryTake(out transmit);

    /// <summary>The next HTTP exchange.</summary>
    public bool TryPollExchange([NotNullWhen(true)] out GatewayExchange? exchange)
    {
        exchange = _outbox.TakeExchange();
        return exchange is not null;
    }

    /// <summary>The next event.</summary>
    public bool TryPollEvent([NotNullWhen(true)] out GatewayEvent? news)
    {
        news = _outbox.TakeEvent();
        return news is not null;
    }

    /// <summary>PCP and NAT-PMP share a port. A server that speaks only the older one complains in it about the newer.</summary>
    private Refusal HandleControl(Instant now, ReadOnlySpan<byte> datagram)
    {
        bool isOld = datagram.Length >= 4 && datagram[0] == NatPmp.Version;
        bool isComplaint = isOld && datagram[2] == 0 && datagram[3] == (byte)NatPmpResult.UnsupportedVersion;
        return isOld && !(isComplaint && _pcp.Stage == ClientStage.Searching)
            ? _natPmp.Handle(now, datagram)
            : _pcp.Handle(now, datagram);
    }

    /// <summary>
    /// The gateway says, to everybody, that it has begun anew or has another address. What it says is not believed: it is asked.
    /// </summary>
    // spec: PATH-54
    private Refusal HandleAnnouncement(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (_isReleasing || (_announcedAt is { } last && now - last < AnnouncementPause))
            return Refusal.Busy;
        if (!PcpResponse.TryParse(datagram, out _, out _) && !NatPmpResponse.TryParse(datagram, out _, out Refusal refusal))
            return refusal;
        _announcedAt = now;
        if (_chosen is { Stage: ClientStage.Mapped })
            _chosen.Recheck(now);
        else if (_searchAt != Instant.Never)
            Start(now);
        return Refusal.None;
    }

    /// <summary>After every input: who goes on, and what is there to tell?</summary>
    private void Settle(Instant now)
    {
        if (_isReleasing)
            return;
        foreach (MappingClient failed in _clients.Where(client => client.Stage == ClientStage.Failed))
            Report(failed);
        if (_chosen is { Stage: ClientStage.Failed })
            Drop(now);
        if (_chosen is null && _searchAt == Instant.Never)
            Choose(now);
        if (_chosen is { Stage: ClientStage.Mapped } chosen)
            Keep(now, chosen);
        else if (_chosen is null && _searchAt == Instant.Never && _clients.All(client => client.Stage is ClientStage.Failed or ClientStage.Idle))
            SearchLater(now);
        Announce(_chosen?.Mapping);
    }

    private void Choose(Instant now)
    {
        NextHeadStart = Instant.Never;
        for (int rank = 0; rank < _clients.Length; rank++)
        {
            MappingClient client = _clients[rank];
            if (client.Stage is ClientStage.Found)
                client.Map(now);
            if (client.Stage is ClientStage.Asking or ClientStage.Mapped)
            {
                _chosen = client;
                return;
            }

            Instant patience = _startedAt + HeadStart * (rank + 1);
            if (client.Stage == ClientStage.Searching && now < patience)
            {
                NextHeadStart = patience;
                return;
            }
        }
    }

    private void Drop(Instant now)
    {
        _chosen = null;
        if (_mappedAt is { } mappedAt && now - mappedAt >= FirstPause)
            _pause = TimeSpan.Zero;
        _mappedAt = null;
    }

    private void Keep(Instant now, MappingClient chosen)
    {
        _mappedAt ??= now;
        foreach (MappingClient other in _clients)
        {
            if (other != chosen && other.Stage != ClientStage.Idle)
                other.Stop();
        }
    }

    private void SearchLater(Instant now)
    {
        _searchAt = now + _pause;
        _pause = _pause == TimeSpan.Zero ? FirstPause : _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private void Announce(PortMapping? mapping)
    {
        bool isOther = mapping?.External != Mapping?.External || mapping?.Protocol != Mapping?.Protocol;
        Mapping = mapping;
        if (isOther)
            _outbox.Raise(new MappingChanged(mapping));
    }

    private void Report(MappingClient failed)
    {
        // Once in a life: the search goes on for hours, and the reasons stay the same.
        var report = new MappingRefused(failed.Protocol, failed.Reason);
        if (_reported.Count < GatewayOutbox.Capacity && _reported.Add(report))
            _outbox.Raise(report);
    }
}
