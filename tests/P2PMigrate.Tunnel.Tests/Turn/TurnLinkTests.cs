using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel.Tests.Turn;

/// <summary>The socket of a TURN client when there is none, or nobody wants it any more.</summary>
public sealed class TurnLinkTests : IDisposable
{
    private static readonly NetworkAddress s_server = NetworkAddress.FromBytes([127, 0, 0, 1], 9);

    private readonly SiblingSockets _siblings;
    private readonly TurnLink _link;
    private readonly TurnServer _turn;
    private Instant _now = new(1_000_000_000);
    private int _failures;

    public TurnLinkTests()
    {
        _siblings = new SiblingSockets(Open, useTrains: false);
        _link = new TurnLink(_siblings, new SessionTable(), (_, _) => { }, NullLogger.Instance);
        Assert.True(TurnServer.TryParse("turn:user:secret@127.0.0.1:9", out TurnServer? turn));
        _turn = turn;
    }

    // spec: TURN-03
    [Fact]
    public void Nothing_is_begun_after_the_release()
    {
        Assert.True(_link.Release(_now).IsCompleted);
        _link.Start(_now, _turn, s_server);

        Assert.Equal(0, _siblings.Count);
        Assert.True(_link.FirstWord.IsCompleted);
        Assert.Equal(Instant.Never, _link.NextTimeout);
    }

    // spec: TURN-08
    [Fact]
    public void A_socket_that_the_machine_does_not_give_is_asked_for_again()
    {
        _failures = 2;
        _link.Start(_now, _turn, s_server);
        Assert.True(_link.FirstWord.IsCompleted);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0, _siblings.Count);
            Assert.NotEqual(Instant.Never, _link.NextTimeout);
            _now = _link.NextTimeout;
            _link.HandleTimeout(_now);
        }

        Assert.Equal(1, _siblings.Count);
    }

    public void Dispose() => _siblings.Dispose();

    private Socket Open()
    {
        if (_failures-- > 0)
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
