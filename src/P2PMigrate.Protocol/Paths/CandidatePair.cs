using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// One (local, remote) address pair: what probing has shown about it so far. Owned by the <see cref="PathAgent"/>, which
/// alone changes it.
/// </summary>
internal sealed class CandidatePair(PathAddress address, TimeSpan initialRoundTrip, PathOptions options)
{
    private const ulong AmplificationLimit = 3;
    private const int UsualLink = 1500;
    private const int HeadersV4 = 28;
    private const int HeadersV6 = 48;

    // Servers send in pieces what does not fit with their header into a link of 1 500: 4 bytes of a channel, and as much left as our own relay takes.
    // spec: TURN-06, CONST-359
    private const int LongestByTurn = UsualLink - HeadersV4 - Rendezvous.RelayFrame.HeaderSize;

    private ulong _bytesReceived;
    private ulong _bytesSentUnproven;
    private bool _leadsToTurn;

    /// <summary>The pair.</summary>
    public PathAddress Address => address;

    /// <summary>Is the remote address one that a TURN server lends to the peer?</summary>
    public bool LeadsToTurn
    {
        get => _leadsToTurn;
        set
        {
            _leadsToTurn = value;
            if (value)
                Sizes.LimitTo(LongestByTurn);
        }
    }

    /// <summary>How data would travel on it.</summary>
    // spec: TURN-07
    public PathKind Kind => address.Kind == PathKind.Direct && LeadsToTurn ? PathKind.Turn : address.Kind;

    /// <summary>How much is known.</summary>
    public PairState State { get; set; }

    /// <summary>
    /// May it be probed before anything came from it? True for candidates that the peer announced and for known paths;
    /// false for an address that only a packet's source claims.
    /// </summary>
    public bool IsAnnounced { get; set; }

    /// <summary>Was the pair given to us as usable at the start, because the handshake went over it?</summary>
    public bool IsKnown { get; set; }

    /// <summary>Has the remote address shown that it gets what is sent there?</summary>
    public bool IsProven { get; set; }

    /// <summary>The round trip that probes have measured on this pair.</summary>
    public RoundTripEstimator RoundTrip { get; } = new(initialRoundTrip);

    /// <summary>The round trip that data measures, once the pair carries any: that of a full queue.</summary>
    public RoundTripEstimator? DataRoundTrip { get; set; }

    /// <summary>The better of both estimates for how long an answer takes now.</summary>
    public RoundTripEstimator PresentRoundTrip => DataRoundTrip is { HasSample: true } data ? data : RoundTrip;

    /// <summary>Probes that wait for their answers.</summary>
    public ProbeLog Probes { get; } = new();

    /// <summary>Probes sent in the present state.</summary>
    public int ProbeCount { get; set; }

    /// <summary>Probes sent since the last answer.</summary>
    public int Unanswered { get; set; }

    /// <summary>How long datagrams may be, as far as is known.</summary>
    public SizeSearch Sizes { get; } = new(options.MinDatagramSize, UsualSize(address), address.Kind == PathKind.Turn ? LongestByTurn : options.MaxDatagramSize);

    /// <summary>Open while data goes unacknowledged, so that only full datagrams tell whether the path still works.</summary>
    public BlackHoleCheck Check { get; } = new();

    /// <summary>What a path has to carry at least.</summary>
    public int MinSize => options.MinDatagramSize;

    /// <summary>The size of the probe that validated the path.</summary>
    public int ValidatedSize { get; set; } = options.MinDatagramSize;

    /// <summary>When the next probe is due.</summary>
    public Instant NextProbe { get; set; }

    /// <summary>When the present series of probes began.</summary>
    public Instant ProbingSince { get; set; }

    /// <summary>When a probe was last answered.</summary>
    public Instant? AnsweredAt { get; set; }

    /// <summary>When a packet first came from there.</summary>
    public Instant? FirstHeardAt { get; set; }

    /// <summary>When a packet last came from there.</summary>
    public Instant? LastHeardAt { get; set; }

    /// <summary>Can data be sent on it?</summary>
    public bool IsUsable => State == PairState.Validated;

    /// <summary>A snapshot for the application.</summary>
    public PathStatus Status => new(address, Kind, RoundTrip.Smoothed);

    /// <summary>
    /// May <paramref name="bytes"/> be sent there? An address that has proven nothing and was not announced gets at most
    /// three times what came from it.
    /// </summary>
    // spec: PATH-08, HS-27
    public bool Allows(int bytes) => IsProven || _bytesSentUnproven + (ulong)bytes <= AmplificationLimit * _bytesReceived;

    /// <summary>A datagram goes there.</summary>
    public void HandleSent(int bytes) => _bytesSentUnproven += IsProven ? 0 : (ulong)bytes;

    /// <summary>Does only the port tell the two apart? Then a NAT chose another one, and the way is the same.</summary>
    // spec: PATH-32
    public bool IsSameRouteAs(CandidatePair other) =>
        IsSameWayAs(other) && address.Remote.HasSameHost(other.Address.Remote);

    /// <summary>Do both begin at the same socket, and are of one kind?</summary>
    // spec: PATH-31, PATH-33
    public bool IsSameWayAs(CandidatePair other) => address.Local == other.Address.Local && Kind == other.Kind;

    /// <summary>Data takes this pair from now on: what is known of its size counts anew, unless the way is the same.</summary>
    // spec: PATH-46
    public void SucceedTo(Instant now, CandidatePair? previous)
    {
        if (previous?.IsSameRouteAs(this) == true)
            Inherit(now, previous);
        else
            Sizes.Restart(now, ValidatedSize);
        previous?.Check.Close();
    }

    /// <summary>An authentic datagram came from there.</summary>
    public void HandleReceived(Instant now, int bytes)
    {
        _bytesReceived += (ulong)bytes;
        FirstHeardAt ??= now;
        LastHeardAt = now;
        IsProven |= IsKnown; // Whoever has keys got our handshake message at this address.
    }

    private void Inherit(Instant now, CandidatePair previous)
    {
        Sizes.Inherit(now, previous.Sizes);
        if (IsUsable)
            return;
        ValidatedSize = previous.ValidatedSize;
        if (!RoundTrip.HasSample)
            RoundTrip.Add(now, previous.RoundTrip.Smoothed, TimeSpan.Zero);
    }

    private static int UsualSize(PathAddress address) => UsualLink
        - (address.Remote.Family == Wire.IpFamily.V4 ? HeadersV4 : HeadersV6)
        - (address.Kind != PathKind.Direct ? Rendezvous.RelayFrame.HeaderSize : 0);
}

/// <summary>How much is known of a pair.</summary>
internal enum PairState
{
    /// <summary>No probe was answered yet.</summary>
    Probing,

    /// <summary>A small probe was answered; whether full datagrams pass is being tried.</summary>
    Answered,

    /// <summary>Full datagrams pass in our direction: it is a path.</summary>
    Validated,
}
