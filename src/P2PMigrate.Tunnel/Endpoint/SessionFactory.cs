using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>Makes a running session of what a handshake agreed on. Loop only.</summary>
internal sealed class SessionFactory(DatagramLoop loop, IDatagramSocket socket, TunnelOptions options)
{
    private static readonly LocalInterface s_interface = LocalInterface.Socket(0);

    private readonly PunchBudget? _punching = options.AllowPunching ? new PunchBudget() : null;

    private readonly LocalSocket _localSocket = new(
        s_interface, socket.Reaches(NetworkAddress.From(IPAddress.Loopback, 1)), socket.Reaches(NetworkAddress.From(IPAddress.IPv6Loopback, 1)));

    /// <summary>The sockets over which sessions may send directly.</summary>
    public IReadOnlyList<LocalSocket> Sockets => options.AllowDirectPaths ? [_localSocket] : [];

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
                RemoteCandidates = options.AllowDirectPaths ? established.PeerCandidates : [],
                LocalNat = established.LocalNat,
                RemoteNat = established.PeerNat,
                KnownPaths = paths,
                HandshakeRoundTrip = established.RoundTrip,
                Recovery = options.Recovery,
                Punching = _punching,
                RelayHeadroom = RelayFrame.HeaderSize,
            },
            now);
        return new SessionDriver(loop, socket.Siblings, connection, established, begun, now, options.Logger) { Relay = relay };
    }
}
