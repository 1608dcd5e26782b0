using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// Whom an allocation talks with: hosts that may send to it, and the addresses that have a channel. Both are asked for when they
/// are first needed, renewed while they are used, and forgotten when not. One owner.
/// </summary>
// spec: TURN-05, TURN-06
internal sealed class TurnPeers(TurnRequests requests)
{
    /// <summary>Hosts at a time.</summary>
    // spec: CONST-353
    public const int MaxPermissions = 64;

    /// <summary>Hosts at a time for which one session has asked: its peer may name any.</summary>
    // spec: TURN-05, CONST-353
    public const int MaxPermissionsOfSession = 8;

    /// <summary>Channels at a time.</summary>
    // spec: CONST-353
    public const int MaxChannels = 256;

    /// <summary>Until a permission, which lives for 5 min, or a channel, which lives for 10, is renewed.</summary>
    // spec: CONST-354
    public static readonly TimeSpan RenewalAfter = TimeSpan.FromMinutes(4);

    /// <summary>For which a server keeps the number of a channel for its peer, and for nobody else (RFC 8656, section 12).</summary>
    // spec: TURN-06, CONST-354
    public static readonly TimeSpan ChannelLife = TimeSpan.FromMinutes(10);

    /// <summary>Ports of a host of which it is known that something was sent there; the oldest is forgotten.</summary>
    // spec: TURN-06, CONST-353
    public const int MaxPorts = 32;

    /// <summary>Until what the server refused is asked for again.</summary>
    // spec: CONST-354
    public static readonly TimeSpan RefusalPause = TimeSpan.FromSeconds(60);

    private readonly Dictionary<NetworkAddress, Grant> _permissions = [];
    private readonly Dictionary<NetworkAddress, Grant> _channels = [];
    private readonly Dictionary<ushort, Grant> _byNumber = [];
    private ushort _nextNumber = ChannelData.First;

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant NextTimeout { get; private set; } = Instant.Never;

    /// <summary>May datagrams of a session go to this peer and come from there? If not yet, the server is asked, as far as there is room.</summary>
    public bool Allows(Instant now, ConnectionId session, NetworkAddress peer)
    {
        NetworkAddress host = peer.WithPort(0);
        if (!_permissions.TryGetValue(host, out Grant? grant))
        {
            if (!TryMakeRoom(now, session))
                return false;
            _permissions.Add(host, grant = new Grant(peer, 0, host: null) { Session = session });
            Ask(now, grant);
        }
        else if (!grant.IsGranted && now >= grant.DueAt)
        {
            Ask(now, grant);
        }

        grant.Use(now);
        grant.NotePort(peer.Port);
        return grant.IsGranted;
    }

    /// <summary>May a datagram be from this peer? The server lets nobody else through; whoever forges the server shall not either.</summary>
    public bool Knows(NetworkAddress peer) => _permissions.ContainsKey(peer.WithPort(0));

    /// <summary>The channel that is bound to this peer; 0 for none.</summary>
    public ushort ChannelOf(Instant now, NetworkAddress peer)
    {
        if (!_channels.TryGetValue(peer, out Grant? grant) || !grant.IsGranted)
            return 0;
        grant.Use(now);
        return grant.Number;
    }

    /// <summary>The peer of a channel on which something came, also of one that we have not used for a while and the server still knows.</summary>
    public bool TryHear(Instant now, ushort number, out NetworkAddress peer)
    {
        bool isFound = _byNumber.TryGetValue(number, out Grant? grant);
        peer = grant?.Peer ?? default;
        if (isFound && !grant!.IsGranted)
            HandleHeard(now, peer);
        return isFound;
    }

    /// <summary>Something came from there without a channel of ours: it is worth one if we have sent there. Nobody vouches for what the server says.</summary>
    public void HandleHeard(Instant now, NetworkAddress peer)
    {
        Grant? host = _permissions.GetValueOrDefault(peer.WithPort(0));
        if (host?.HasSentTo(peer.Port) != true)
            return;
        if (_channels.TryGetValue(peer, out Grant? grant))
        {
            if (!grant.IsGranted && (grant.IsIdle || now >= grant.DueAt))
                Renew(now, grant, host);
            return;
        }

        if (_channels.Count >= MaxChannels)
            return;
        grant = new Grant(peer, TakeNumber(), host);
        grant.Use(now);
        _channels.Add(peer, grant);
        _byNumber.Add(grant.Number, grant);
        Ask(now, grant);
    }

    /// <summary>The server agreed.</summary>
    public void HandleGranted(Instant now, TurnRequest request)
    {
        if (Find(request) is not { } grant)
            return;
        (grant.IsGranted, grant.IsAsked) = (true, false);
        grant.HeldUntil = now + ChannelLife;
        Due(grant, now + RenewalAfter);
    }

    /// <summary>The server did not agree, or, if not <paramref name="isAnswered"/>, said nothing, and may have agreed.</summary>
    public void HandleRefused(Instant now, TurnRequest request, bool isAnswered)
    {
        if (Find(request) is not { } grant)
            return;
        if (!isAnswered)
            grant.HeldUntil = now + ChannelLife;
        (grant.IsGranted, grant.IsAsked) = (false, false);
        Due(grant, now + RefusalPause);
    }

    /// <summary>Renews what is in use, and forgets what is not.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now < NextTimeout)
            return;
        NextTimeout = Instant.Never;
        foreach (Grant grant in _permissions.Values.Concat(_channels.Values).ToArray())
        {
            if (grant.IsAsked)
                continue;
            if (now < grant.DueAt)
                NextTimeout = Instant.Min(NextTimeout, grant.DueAt);
            else if (grant.IsGranted && now - grant.UsedAt < RenewalAfter)
                Ask(now, grant);
            else if (grant.Number != 0 && now < grant.HeldUntil)
                LetRest(grant);
            else
                Forget(grant);
        }
    }

    /// <summary>The allocation is gone, and everything with it.</summary>
    public void Clear()
    {
        _permissions.Clear();
        _channels.Clear();
        _byNumber.Clear();
        NextTimeout = Instant.Never;
    }

    private Grant? Find(TurnRequest request) => request.Method == StunMethod.ChannelBind
        ? _channels.GetValueOrDefault(request.Peer)
        : _permissions.GetValueOrDefault(request.Peer.WithPort(0));

    // The server would refuse another number for this peer, and this number for another one.
    private void LetRest(Grant grant)
    {
        (grant.IsGranted, grant.IsIdle) = (false, true);
        Due(grant, grant.HeldUntil);
    }

    private void Renew(Instant now, Grant grant, Grant host)
    {
        grant.Host = host; // The permission may be another one than when the channel was bound.
        grant.Use(now);
        Ask(now, grant);
    }

    private void Ask(Instant now, Grant grant)
    {
        (grant.IsAsked, grant.IsIdle) = (true, false);
        grant.DueAt = Instant.Never;
        StunMethod method = grant.Number == 0 ? StunMethod.CreatePermission : StunMethod.ChannelBind;
        requests.Send(now, new TurnRequest(method) { Peer = grant.Peer, Channel = grant.Number });
    }

    private void Due(Grant grant, Instant at)
    {
        grant.DueAt = at;
        NextTimeout = Instant.Min(NextTimeout, at);
    }

    private bool TryMakeRoom(Instant now, ConnectionId session)
    {
        int count = 0;
        foreach (Grant grant in _permissions.Values)
            count += grant.Session == session ? 1 : 0;
        return (count < MaxPermissionsOfSession || TryForgetOne(now, session)) && (_permissions.Count < MaxPermissions || TryForgetOne(now, null));
    }

    private bool TryForgetOne(Instant now, ConnectionId? session)
    {
        foreach (Grant grant in _permissions.Values)
        {
            if (grant.IsAsked || now - grant.UsedAt < RefusalPause || (session is { } owner && grant.Session != owner))
                continue;
            Forget(grant);
            return true;
        }

        return false;
    }

    private void Forget(Grant grant)
    {
        if (grant.Number == 0)
        {
            _permissions.Remove(grant.Peer.WithPort(0));
            return;
        }

        _channels.Remove(grant.Peer);
        _byNumber.Remove(grant.Number);
    }

    // Whoever sends late on a number that was another peer's shall find nobody: the next one is taken, 4 096 in turn.
    private ushort TakeNumber()
    {
        ushort number;
        do
        {
            number = _nextNumber;
            _nextNumber = number == ChannelData.Last ? ChannelData.First : (ushort)(number + 1);
        }
        while (_byNumber.ContainsKey(number));
        return number;
    }

    /// <summary>A permission for the host of a peer, or, with a number, a channel to the peer.</summary>
    private sealed class Grant(NetworkAddress peer, ushort number, Grant? host)
    {
        private readonly List<ushort> _ports = [];

        public Grant? Host { get; set; } = host;

        public NetworkAddress Peer => peer;

        public ushort Number => number;

        public bool IsGranted { get; set; }

        public bool IsAsked { get; set; }

        public bool IsIdle { get; set; }

        public ConnectionId Session { get; init; }

        public Instant HeldUntil { get; set; }

        public Instant UsedAt { get; private set; }

        public Instant DueAt { get; set; }

        public void Use(Instant now)
        {
            UsedAt = now;
            if (Host is not null)
                Host.UsedAt = now;
        }

        public void NotePort(ushort port)
        {
            if (_ports.Contains(port))
                return;
            if (_ports.Count == MaxPorts)
                _ports.RemoveAt(0);
            _ports.Add(port);
        }

        public bool HasSentTo(ushort port) => _ports.Contains(port);
    }
}
