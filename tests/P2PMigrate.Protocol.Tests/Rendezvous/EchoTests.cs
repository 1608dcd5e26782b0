using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>The server's other sockets: what they say, to whom, and how much.</summary>
public sealed class EchoTests : IDisposable
{
    private static readonly NetworkAddress s_client = RendezvousWorld.Address("192.0.2.7:4000");
    private static readonly NetworkAddress s_victim = RendezvousWorld.Address("192.0.2.99:53");
    private static readonly ServerAlternates s_alternates = new(3479, RendezvousWorld.Address("198.51.100.2:3480"));

    private readonly RendezvousServerCore _server = new(new RendezvousServerOptions(), new SeededEntropy(1), s_alternates);
    private readonly byte[] _buffer = new byte[2048];
    private Instant _now = new(1_000_000_000);

    public void Dispose() => _server.Dispose();

    [Fact]
    [Trait("Spec", "RDV-20")]
    public void A_challenge_names_the_other_sockets_and_is_still_shorter_than_the_question()
    {
        ChallengeMessage v4 = Challenge(s_client, out int length);
        Assert.Equal(s_alternates, v4.Alternates);
        Assert.InRange(length, 1, RendezvousHeader.RequestSize);
        ChallengeMessage v6 = Challenge(RendezvousWorld.Address("[2001:db8::1]:4000"), out length);
        Assert.Equal(s_alternates with { OtherAddress = default }, v6.Alternates); // That address is not of the client's protocol.
        Assert.InRange(length, 1, RendezvousHeader.RequestSize);
    }

    [Fact]
    [Trait("Spec", "RDV-20")]
    public void A_server_with_one_socket_says_what_it_always_said()
    {
        using var plain = new RendezvousServerCore(new RendezvousServerOptions(), new SeededEntropy(1));
        plain.Handle(_now, s_client, Hello());
        Assert.True(plain.TryPollTransmit(_buffer, out _, out int length));
        Assert.Equal(RendezvousHeader.Size + 16 + 32 + 7, length);
        plain.Handle(_now, s_client, Echo(default, ServerSocket.OtherPort, default));
        Assert.False(plain.TryPollAside(_buffer, out _, out _, out _) || plain.TryPollTransmit(_buffer, out _, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Trait("Spec", "RDV-23")]
    public void Whoever_has_proven_its_address_gets_an_answer_from_the_socket_that_it_names(byte socket)
    {
        AddressCookie cookie = Challenge(s_client, out _).Cookie;
        Assert.Equal(Refusal.None, _server.Handle(_now, s_client, Echo(cookie, (ServerSocket)socket, default)));
        Assert.True(_server.TryPollAside(_buffer, out ServerSocket from, out NetworkAddress destination, out int length));
        Assert.Equal(((ServerSocket)socket, s_client), (from, destination));
        Assert.True(EchoedMessage.TryParse(_buffer.AsSpan(0, length), out EchoedMessage echoed, out _));
        Assert.Equal((s_client, 5ul), (echoed.Observed, echoed.Transaction.Value));
        Assert.False(_server.TryPollAside(_buffer, out _, out _, out _) || _server.TryPollTransmit(_buffer, out _, out _));
    }

    [Fact]
    [Trait("Spec", "RDV-23")]
    public void An_answer_may_go_to_another_address_whose_cookie_the_sender_holds()
    {
        NetworkAddress other = s_client.WithPort(4001);
        AddressCookie cookie = Challenge(other, out _).Cookie;
        Assert.Equal(Refusal.None, _server.Handle(_now, s_client, Echo(cookie, ServerSocket.Main, other)));
        Assert.True(_server.TryPollTransmit(_buffer, out NetworkAddress destination, out _));
        Assert.Equal(other, destination);
    }

    [Fact]
    [Trait("Spec", "RDV-23")]
    public void An_address_that_is_not_proven_gets_nothing_at_all()
    {
        AddressCookie mine = Challenge(s_client, out _).Cookie;
        foreach (ServerSocket socket in Enum.GetValues<ServerSocket>())
        {
            Assert.Equal(Refusal.CookieRequired, _server.Handle(_now, s_victim, Echo(mine, socket, default)));
            Assert.Equal(Refusal.CookieRequired, _server.Handle(_now, s_client, Echo(mine, socket, s_victim)));
            Assert.Equal(Refusal.CookieRequired, _server.Handle(_now, s_client, Echo(default, socket, default)));
        }

        _now += TimeSpan.FromMinutes(5);
        Assert.Equal(Refusal.CookieRequired, _server.Handle(_now, s_client, Echo(mine, ServerSocket.OtherPort, default)));
        Assert.False(_server.TryPollAside(_buffer, out _, out _, out _) || _server.TryPollTransmit(_buffer, out _, out _));
    }

    [Fact]
    [Trait("Spec", "RDV-23")]
    public void A_stream_is_reached_from_the_main_socket_only()
    {
        NetworkAddress stream = RendezvousWorld.Address("[100::c633:6401]:1");
        using var server = new RendezvousServerCore(
            new RendezvousServerOptions(), new SeededEntropy(1), new(3479, RendezvousWorld.Address("[2001:db8::2]:3480")));
        server.Handle(_now, stream, Hello());
        Assert.True(server.TryPollTransmit(_buffer, out _, out int length));
        Assert.True(ChallengeMessage.TryParse(_buffer.AsSpan(0, length), out ChallengeMessage challenge, out _));

        Assert.Equal(Refusal.Unexpected, server.Handle(_now, stream, Echo(challenge.Cookie, ServerSocket.OtherPort, default)));
        Assert.Equal(Refusal.Unexpected, server.Handle(_now, stream, Echo(challenge.Cookie, ServerSocket.OtherAddress, default)));
        Assert.Equal(Refusal.None, server.Handle(_now, stream, Echo(challenge.Cookie, ServerSocket.Main, default)));

        Assert.False(server.TryPollAside(_buffer, out _, out _, out _));
        Assert.True(server.TryPollTransmit(_buffer, out NetworkAddress destination, out _));
        Assert.Equal(stream, destination);
    }

    // spec: RDV-23, CONST-220
    [Fact]
    public void Replays_get_a_limited_number_of_short_answers()
    {
        AddressCookie cookie = Challenge(s_client, out _).Cookie;
        int sent = 0, received = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[] echo = Echo(cookie, ServerSocket.OtherAddress, default);
            sent += echo.Length;
            _now += TimeSpan.FromMilliseconds(1);
            _server.Handle(_now, s_client, echo);
            while (_server.TryPollAside(_buffer, out _, out _, out int length))
                received += length;
        }

        Assert.InRange(received, 1, 19 * (20 + 10 * 20));
        Assert.True(received < sent);
    }

    [Fact]
    [Trait("Spec", "RDV-22")]
    public void A_mirror_answers_hello_and_nothing_else_and_says_less_than_it_is_told()
    {
        Assert.True(RendezvousMirror.TryAnswer(s_client, Hello(), _buffer, out int length, out _));
        Assert.True(EchoedMessage.TryParse(_buffer.AsSpan(0, length), out EchoedMessage echoed, out _));
        Assert.Equal(s_client, echoed.Observed);
        for (byte type = 0; type < 255; type++)
        {
            byte[] datagram = Hello();
            datagram[1] = type;
            if (type != (byte)RendezvousMessageType.Hello)
                Assert.False(RendezvousMirror.TryAnswer(s_client, datagram, _buffer, out _, out _));
        }

        Assert.False(RendezvousMirror.TryAnswer(s_client, Hello().AsSpan(0, 100), _buffer, out _, out _));
    }

    [Theory]
    [Trait("Spec", "RDV-21")]
    [InlineData("198.51.100.1:3478", "198.51.100.2:3480", true)]
    [InlineData("198.51.100.1:3478", "198.51.100.1:3480", false)] // not another host
    [InlineData("198.51.100.1:3478", "192.168.1.1:80", false)] // the client's own network
    [InlineData("198.51.100.1:3478", "127.0.0.1:80", false)]
    [InlineData("198.51.100.1:3478", "169.254.1.1:80", false)]
    [InlineData("192.168.1.5:3478", "192.168.1.6:3480", true)]
    [InlineData("192.168.1.5:3478", "198.51.100.2:3480", false)]
    [InlineData("127.0.0.1:3478", "127.0.0.2:3480", true)]
    [InlineData("198.51.100.1:3478", "[2001:db8::1]:3480", false)]
    [InlineData("[2001:db8::1]:3478", "[2001:db8::2]:3480", true)]
    [InlineData("[2001:db8::1]:3478", "[fd00::1]:3480", false)]
    [InlineData("198.51.100.1:3478", "224.0.0.1:3480", false)]
    public void A_client_asks_only_at_a_second_address_that_is_as_public_as_the_first(string server, string other, bool isCredible)
    {
        NetworkAddress address = RendezvousWorld.Address(other);
        ServerAlternates credible = new ServerAlternates(3479, address).CredibleAt(RendezvousWorld.Address(server));
        Assert.Equal(new ServerAlternates(3479, isCredible ? address : default), credible);
        Assert.Equal(0, new ServerAlternates(3478, default).CredibleAt(RendezvousWorld.Address(server)).OtherPort);
    }

    private ChallengeMessage Challenge(NetworkAddress client, out int length)
    {
        _server.Handle(_now, client, Hello());
        Assert.True(_server.TryPollTransmit(_buffer, out _, out length));
        Assert.True(ChallengeMessage.TryParse(_buffer.AsSpan(0, length), out ChallengeMessage challenge, out _));
        return challenge;
    }

    private static byte[] Hello()
    {
        byte[] hello = new byte[RendezvousHeader.RequestSize];
        new HelloMessage(new TransactionId(4)).Write(hello);
        return hello;
    }

    private static byte[] Echo(AddressCookie cookie, ServerSocket from, NetworkAddress target)
    {
        byte[] echo = new byte[RendezvousHeader.RequestSize];
        new EchoMessage(new TransactionId(5), cookie, from, target).Write(echo);
        return echo;
    }
}
