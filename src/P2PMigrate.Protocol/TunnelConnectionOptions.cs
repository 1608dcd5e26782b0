using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// Everything a <see cref="TunnelConnection"/> is made of: what the handshake agreed on, the paths that are known, and
/// the tunables.
/// </summary>
public sealed record TunnelConnectionOptions
{
    /// <summary>Which side of the handshake this is.</summary>
    public required ConnectionRole Role { get; init; }

    /// <summary>The keys, epoch after epoch. The connection owns it and takes the first epoch at once.</summary>
    public required IPacketKeySource Keys { get; init; }

    /// <summary>Our name for the session: packets for another id are dropped.</summary>
    public required ConnectionId LocalConnectionId { get; init; }

    /// <summary>The peer's name for the session, written into every packet.</summary>
    public required ConnectionId RemoteConnectionId { get; init; }

    /// <summary>Where probe tokens come from.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>What we announced in the handshake.</summary>
    public TransportParameters LocalParameters { get; init; } = new();

    /// <summary>What the peer announced in the handshake.</summary>
    public TransportParameters PeerParameters { get; init; } = new();

    /// <summary>The driver's sockets, which are probed from.</summary>
    public IReadOnlyList<LocalSocket> Sockets { get; init; } = [];

    /// <summary>The candidates that the peer announced in the handshake.</summary>
    public IReadOnlyList<Candidate> RemoteCandidates { get; init; } = [];

    /// <summary>What the peer was told in the handshake of the NATs before us.</summary>
    public NatProfile LocalNat { get; init; }

    /// <summary>What the peer said in the handshake of the NATs before it; null when it says nothing of them, nor understands what we say later.</summary>
    // spec: PATH-61
    public NatProfile? RemoteNat { get; init; }

    /// <summary>
    /// Paths that may carry data from the first moment, best first: the one on which the handshake was completed, and
    /// the relay channel that the rendezvous server opened for this session.
    /// </summary>
    public IReadOnlyList<KnownPath> KnownPaths { get; init; } = [];

    /// <summary>A round trip measured during the handshake, if there was one.</summary>
    public TimeSpan? HandshakeRoundTrip { get; init; }

    /// <summary>Tunables of probing and path choice.</summary>
    public PathOptions Paths { get; init; } = new();

    /// <summary>What this session and the others of its endpoint may send to addresses that do not answer.</summary>
    // spec: PATH-84
    public ProbeBudget Probing { get; init; } = new();

    /// <summary>
    /// What this session and the others of its endpoint may spend on punching; null for none. With a budget the connection
    /// also sends from direct sockets 1 to 255, which the owner opens when they are first used: see <see cref="SocketsReleased"/>.
    /// </summary>
    // spec: PATH-75, PATH-76
    public PunchBudget? Punching { get; init; }

    /// <summary>Tunables of loss recovery and congestion control.</summary>
    public RecoveryOptions Recovery { get; init; } = new();

    /// <summary>When keys are changed.</summary>
    public KeyUpdateOptions KeyUpdate { get; init; } = new();

    /// <summary>Most bytes that one stream, and all together, keep for sending, unacknowledged ones included.</summary>
    // spec: CONST-30
    public int SendBufferLimit { get; init; } = 64 << 20;

    /// <summary>Up to how many bytes the window of one stream grows while its reader keeps pace.</summary>
    // spec: CONST-36
    public ulong MaxStreamWindow { get; init; } = 64 << 20;

    /// <summary>Up to how many bytes the windows of all classes together grow.</summary>
    // spec: CONST-37
    public ulong MaxSessionWindow { get; init; } = 256 << 20;

    /// <summary>Bytes in front of each datagram on a relay path that are left to the owner: see <see cref="Transmit"/>.</summary>
    public int RelayHeadroom { get; init; }

    /// <summary>The same on a path that begins at an address of a TURN server.</summary>
    public int TurnHeadroom { get; init; }
}

/// <summary>A socket that the driver can send from, and the internet protocols that it can reach.</summary>
public readonly record struct LocalSocket(LocalInterface Interface, bool ReachesIPv4, bool ReachesIPv6)
{
    /// <summary>The address at which peers see it, if a TURN server lends it; none otherwise.</summary>
    public NetworkAddress Lent { get; init; }

    /// <summary>
    /// Can it send to <paramref name="address"/>? From a lent one nothing goes to what is less public: that would be a host in the network of
    /// the server, wherever the peer is.
    /// </summary>
    // spec: TURN-05
    public bool Reaches(NetworkAddress address) =>
        (address.Family == IpFamily.V4 ? ReachesIPv4 : ReachesIPv6) && (Lent.IsNone || ExternalReaches.Of(address) <= ExternalReaches.Of(Lent));
}

/// <summary>
/// A path known before the first probe. <paramref name="IsRemoteProven"/>: the remote address has shown that it gets what
/// is sent there (it answered a handshake message, or it is our relay); otherwise it gets at most three times the bytes
/// that came from it until it does.
/// </summary>
public readonly record struct KnownPath(PathAddress Address, bool IsRemoteProven);
