using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>What somebody without a ticket gets: seen from a socket of its own, datagram by datagram.</summary>
public sealed class StrangerTests : IDisposable
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(300);
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly Socket _stranger = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly PrivateIdentity _identity = PrivateIdentity.Create(CryptographicEntropy.Instance);

    public StrangerTests() => _stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    [Fact]
    public async Task Bytes_that_mean_nothing_get_no_answer()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        var random = new Random(2026);
        for (int first = 0; first < 256; first++)
        {
            foreach (int length in new[] { 1, 8, 16, 68, 128, HandshakeInit.Size, 1400 })
            {
                byte[] datagram = new byte[length];
                random.NextBytes(datagram);
                datagram[0] = (byte)first;
                _stranger.SendTo(datagram, peers.Target.LocalEndPoint);
            }
        }

        Assert.Empty(ReceiveAll());
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        await Peers.OpenStreamAsync(near, far);
    }

    [Fact]
    public async Task A_handshake_without_a_ticket_gets_no_answer()
    {
        await using Peers peers = await Peers.OpenAsync();
        _stranger.SendTo(await InitForAsync(peers.Target), peers.Target.LocalEndPoint);
        Assert.Empty(ReceiveAll());
    }

    [Fact]
    public async Task Under_load_strangers_get_cookies_and_the_holder_of_a_ticket_still_gets_in()
    {
        await using Peers peers = await Peers.OpenAsync();
        byte[][] flood = await Task.WhenAll(Enumerable.Range(0, 80).Select(_ => InitForAsync(peers.Target)));
        foreach (byte[] init in flood)
            _stranger.SendTo(init, peers.Target.LocalEndPoint);

        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();

        await Peers.OpenStreamAsync(near, far);
        List<byte[]> answers = ReceiveAll();
        Assert.NotEmpty(answers);
        Assert.All(answers, answer => Assert.Equal((DatagramType.CookieReply, CookieReply.Size), (FirstByte.Classify(answer), answer.Length)));
    }

    [Fact]
    public async Task A_recorded_handshake_that_is_played_again_opens_nothing()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        byte[] init = Init(ticket);
        _stranger.SendTo(init, peers.Target.LocalEndPoint);
        byte[] first = ReceiveResponse();

        _stranger.SendTo(init, peers.Target.LocalEndPoint);

        // The same answer again, and no session for the application: nobody has proven to hold the keys.
        Assert.Equal(first, ReceiveResponse());
        using var impatience = new CancellationTokenSource(s_quiet);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => peers.Target.AcceptAsync(impatience.Token).AsTask());
    }

    // Whoever has a ticket may have written somebody else's address into its message 1.
    [Fact]
    [Trait("Spec", "PATH-08")]
    public async Task Who_holds_a_ticket_and_never_answers_gets_no_more_than_three_times_what_it_sent()
    {
        await using Peers peers = await Peers.OpenAsync();
        byte[] init = Init(await peers.Target.IssueTicketAsync(Peers.Hour, _token));
        _stranger.SendTo(init, peers.Target.LocalEndPoint);

        byte[] buffer = new byte[2048];
        int received = 0;
        while (_stranger.Poll(TimeSpan.FromSeconds(4), SelectMode.SelectRead))
            received += _stranger.Receive(buffer);

        Assert.InRange(received, HandshakeResponse.Size, 3 * init.Length);
    }

    [Fact]
    public async Task An_endpoint_that_says_goodbye_answers_no_handshake_any_more()
    {
        await using Peers peers = await Peers.OpenAsync();
        await peers.ConnectAsync();
        byte[] init = Init(await peers.Target.IssueTicketAsync(Peers.Hour, _token));
        peers.Kill(peers.Source); // So that the goodbye takes as long as it may.
        Task disposal = peers.Target.DisposeAsync().AsTask();
        await peers.Target.GetTicketsAsync(_token); // The loop has begun to close by now.
        _stranger.SendTo(init, peers.Target.LocalEndPoint);
        Assert.Empty(ReceiveAll());
        await disposal;
    }

    public void Dispose()
    {
        _stranger.Dispose();
        _identity.Dispose();
    }

    private async Task<byte[]> InitForAsync(TunnelEndpoint target)
    {
        Ticket ticket = await target.IssueTicketAsync(Peers.Hour, _token);
        return Init(ticket with { Secret = TicketSecret.Create(CryptographicEntropy.Instance) });
    }

    private byte[] Init(Ticket ticket)
    {
        var options = new HandshakeInitiatorOptions { Identity = _identity, Ticket = ticket, TimestampUnixNanoseconds = DateTime.UtcNow.Ticks };
        using var initiator = new HandshakeInitiator(default, options, CryptographicEntropy.Instance);
        byte[] init = new byte[HandshakeInit.Size];
        Assert.True(initiator.TryPollTransmit(init, out int length));
        return init[..length];
    }

    // The responder also probes the address that message 1 came from, as it would a peer's.
    private byte[] ReceiveResponse()
    {
        byte[] buffer = new byte[2048];
        while (true)
        {
            Assert.True(_stranger.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectRead));
            int length = _stranger.Receive(buffer);
            if (FirstByte.Classify(buffer.AsSpan(0, length)) == DatagramType.HandshakeResponse)
                return buffer[..length];
        }
    }

    private List<byte[]> ReceiveAll()
    {
        List<byte[]> received = [];
        byte[] buffer = new byte[2048];
        while (_stranger.Poll(s_quiet, SelectMode.SelectRead))
            received.Add(buffer[.._stranger.Receive(buffer)]);
        return received;
    }
}
