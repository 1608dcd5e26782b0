using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>Makes a running session of what a handshake agreed on. Loop only.</summary>
internal sealed class SessionFactory(DatagramLoop loop, IDatagramSocket socket, TunnelOptions options, TurnLink? turn = null)
{
    private static readonly LocalInterface s_interface = LocalInterface.Socket(0);

    private readonly ProbeBudget _probing = new();
    private readonly PunchBudget? _punching = options.AllowPunching ? new PunchBudget() : null;

    private readonly LocalSocket _localSocket = new(
        s_interface, socket.Reaches(NetworkAddress.From(IPAddress.Loopback, 1)), socket.Reaches(NetworkAddress.From(IPAddress.IPv6Loopback, 1)));

    /// <summary>The sockets from which sessions may send to their peers, the one that a TURN server lends included.</summary>
    public IReadOnlyList<LocalSocket> Sockets => [.. options.AllowDirectPaths ? (LocalSocket[])[_localSocket] : [], .. turn?.Sockets ?? []];

    /// <summary>The path of a datagram that came to the socket itself.</summary>
    public static PathAddress DirectPath(NetworkAddress remote) => new(s_interface, remote);

    /// <summary>
    /// Takes over <paramref name="established"/>. <paramref name="paths"/> may carry data at once, one of them through
    /// <paramref name="relay"/>; <paramref name="begun"/> is when the attempt began.
    /// </summary>
    public SessionDriver Create(EstablishedSession established, IReadOnlyList<KnownPath> paths, RelayRoute? relay, Instant begun, Instant now)
    {
        var connection = new TunnelConnection(
            new TunnelConnectionOptions
            {
                Role = established.Role,
                Keys = established.Keys,
                LocalConnectionId = established.LocalId,
                RemoteConnectionId = established.RemoteId,
                Entropy = CryptographicEntropy.Instance,
                LocalParameters = established.LocalParameters,
                PeerParameters = established.PeerParameters,
                Sockets = Sockets,
                RemoteCandidates = options.AllowDirectPaths || turn is not null ? established.PeerCandidates : [],
                LocalNat = established.LocalNat,
                RemoteNat = established.PeerNat,
                KnownPaths = paths,
                HandshakeRoundTrip = established.RoundTrip,
                Recovery = options.Recovery,
                Probing = _probing,
                Punching = _punching,
                RelayHeadroom = RelayFrame.HeaderSize,
                TurnHeadroom = TurnClient.HeaderSize,
            },
            now);
        return new SessionDriver(loop, socket.Siblings, connection, established, begun, now, options.Logger) { Relay = relay, Turn = turn };
    }
}
