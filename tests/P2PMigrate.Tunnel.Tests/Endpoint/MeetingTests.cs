using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Nat;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>What peers can make an endpoint do by what they say of its address.</summary>
public sealed class MeetingTests : IDisposable
{
    private readonly PrivateIdentity _identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private readonly IDatagramSocket _socket = DatagramSocket.Open(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly OwnCandidates _own;
    private readonly StrayDatagrams _strays;
    private readonly TransmitBatch _batch = new();
    private readonly Meeting _meeting;
    private Instant _now = new(1_000_000_000);

    public MeetingTests()
    {
        var options = new TunnelOptions { Identity = _identity };
        _own = new OwnCandidates(_socket, allowDirectPaths: true);
        _strays = new StrayDatagrams(_socket);
        var clock = new LoopClock(TimeProvider.System);
        var sessions = new SessionTable();
        var loop = new DatagramLoop(_socket, clock);
        var factory = new SessionFactory(loop, _socket, options);
        var dialing = new Dialing(options, _own, sessions, factory, _strays, clock);
        _meeting = new Meeting(options, _own, answering: null!, dialing, sessions, _strays, new NatWatch(loop, _own, sessions, _strays, isAllowed: false)); // No offer comes: nobody has to answer.
    }

    public void Dispose()
    {
        _socket.Dispose();
        _identity.Dispose();
    }

    // spec: PATH-36
    [Fact]
    public void What_a_peer_says_of_our_address_is_told_to_nobody()
    {
        for (int i = 0; i < 100; i++)
            _meeting.HandleObserved(_now, Claimed(i));
        Assert.Null(_own.Reflexive);
        Assert.DoesNotContain(_own.For(_now, peer: default), candidate => candidate.Address.Port == Claimed(0).Port);
    }

    // spec: PATH-36, CONST-68
    [Fact]
    public void Peers_that_see_us_elsewhere_all_the_time_make_us_ask_the_server_now_and_then()
    {
        _meeting.Register(_now, new ServerAddresses(NetworkAddress.FromBytes([127, 0, 0, 1], 9)));
        int silent = RequestsOf(TimeSpan.FromSeconds(60), isPeerTalking: false);
        int renewed = RequestsOf(TimeSpan.FromSeconds(60), isPeerTalking: true);
        Assert.InRange(renewed, silent, silent + 6 * 13); // A renewal begins the repetitions anew, up to five within five seconds.
    }

    private static NetworkAddress Claimed(int i) => NetworkAddress.FromBytes([198, 51, 100, (byte)i], 4711);

    private int RequestsOf(TimeSpan time, bool isPeerTalking)
    {
        int requests = 0;
        for (Instant end = _now + time; _now < end; _now += TimeSpan.FromMilliseconds(10))
        {
            if (isPeerTalking)
                _meeting.HandleObserved(_now, Claimed((int)(_now.Nanoseconds / 10_000_000 % 200)));
            _meeting.HandleTimeout(_now);
            _strays.MoveTo(_batch);
            requests += _batch.Count;
            _batch.Clear();
        }

        return requests;
    }

}
