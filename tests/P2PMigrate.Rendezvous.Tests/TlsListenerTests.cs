using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous.Tls;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>The TLS port, and strangers at it.</summary>
[Trait("Spec", "RLY-16")]
public sealed class TlsListenerTests
{
    private static readonly RendezvousTlsOptions s_options = new()
    {
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        HandshakeTimeout = TimeSpan.FromSeconds(2),
        IdleTimeout = TimeSpan.FromSeconds(3),
        MaxConnectionsPerHost = 8,
    };

    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "RLY-13")]
    public async Task A_hello_by_TLS_is_answered_with_an_address_that_nobody_can_send_to()
    {
        await using RendezvousServer server = Start(s_options);
        await using SslStream stream = await ConnectAsync(server);
        byte[] answer = await AskAsync(stream);
        Assert.Equal((byte)RendezvousMessageType.Challenge, answer[1]);
        var body = new WireReader(answer.AsSpan(12 + 16 + 32));
        Assert.True(NetworkAddress.TryDecode(ref body, out NetworkAddress observed));
        Assert.True(observed.IsStream);
        Assert.False(observed.IsUsable);
    }

    [Fact]
    public async Task Who_speaks_no_TLS_is_shut_out_and_leaves_no_trace()
    {
        await using RendezvousServer server = Start(s_options);
        using Socket stranger = await ConnectPlainAsync(server);
        await stranger.SendAsync(new byte[4096], _token);
        await AssertClosedAsync(stranger);
        await WaitForConnectionsAsync(server, 0);
    }

    [Fact]
    public async Task Who_connects_and_says_nothing_is_shut_out()
    {
        await using RendezvousServer server = Start(s_options);
        using Socket mute = await ConnectPlainAsync(server);
        await WaitForConnectionsAsync(server, 1);
        await AssertClosedAsync(mute);
        await WaitForConnectionsAsync(server, 0);
    }

    [Fact]
    public async Task Who_sends_a_byte_now_and_then_and_never_a_datagram_is_shut_out()
    {
        await using RendezvousServer server = Start(s_options);
        await using SslStream slow = await ConnectAsync(server);
        await WaitForConnectionsAsync(server, 1);
        await slow.WriteAsync(new byte[] { 128, 0 }, _token);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (int i = 0; i < 120; i++)
            {
                await slow.WriteAsync(new byte[] { 0x60 }, _token);
                await Task.Delay(TimeSpan.FromMilliseconds(500), _token); // The loris is slow by nature.
            }
        });
        await WaitForConnectionsAsync(server, 0);
    }

    [Fact]
    public async Task Who_has_spoken_and_keeps_silence_is_shut_out()
    {
        await using RendezvousServer server = Start(s_options);
        await using SslStream stream = await ConnectAsync(server);
        await AskAsync(stream);
        await WaitForConnectionsAsync(server, 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2049)]
    [InlineData(65535)]
    [Trait("Spec", "RLY-11")]
    public async Task A_length_that_cannot_be_ends_the_connection_at_once(int length)
    {
        await using RendezvousServer server = Start(s_options with { HandshakeTimeout = TimeSpan.FromHours(1), IdleTimeout = TimeSpan.FromHours(1) });
        await using SslStream stream = await ConnectAsync(server);
        await AskAsync(stream);
        byte[] header = new byte[2];
        StreamedDatagram.WriteHeader(header, length);
        await stream.WriteAsync(header, _token);
        await WaitForConnectionsAsync(server, 0);
    }

    [Fact]
    public async Task Rubbish_of_good_length_is_dropped_and_a_question_behind_it_is_answered()
    {
        await using RendezvousServer server = Start(s_options);
        await using SslStream stream = await ConnectAsync(server);
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] frame = new byte[2 + random.Next(1, StreamedDatagram.MaxLength + 1)];
            random.NextBytes(frame);
            frame[2] = (byte)(i % 3 == 0 ? 0x60 : i % 3 == 1 ? 0x70 : frame[2]);
            StreamedDatagram.WriteHeader(frame, frame.Length - 2);
            await stream.WriteAsync(frame, _token);
        }

        await AskAsync(stream);
    }

    [Fact]
    public async Task A_host_gets_so_many_connections_and_no_more()
    {
        var log = new KeptLog();
        await using RendezvousServer server = Start(s_options with { HandshakeTimeout = TimeSpan.FromMinutes(1) }, log);
        var sockets = new List<Socket>();
        for (int i = 0; i < 8; i++)
            sockets.Add(await ConnectPlainAsync(server));
        await WaitForConnectionsAsync(server, 8);
        using Socket ninth = await ConnectPlainAsync(server);
        await AssertClosedAsync(ninth);
        using Socket tenth = await ConnectPlainAsync(server);
        await AssertClosedAsync(tenth);
        Assert.Single(log.Lines, line => line.Contains("127.0.0.1", StringComparison.Ordinal) && line.Contains("refused", StringComparison.Ordinal));
        sockets.ForEach(socket => socket.Dispose());
        await WaitForConnectionsAsync(server, 0);
    }

    [Fact]
    public async Task A_flood_that_nobody_reads_the_answers_of_takes_no_more_memory_than_is_allowed()
    {
        await using RendezvousServer server = Start(s_options);
        await using SslStream stream = await ConnectAsync(server);
        byte[] hellos = [.. Enumerable.Repeat(Hello(), 64).SelectMany(hello => hello)];
        for (int i = 0; i < 2_000; i++) // 16 MB of questions, and no answer is read.
            await stream.WriteAsync(hellos, _token);
        Assert.Equal(1, server.TlsConnections);
    }

    [Theory]
    [Trait("Spec", "RLY-33")]
    [InlineData(256 << 10)]
    [InlineData(32 << 10)]
    public async Task However_many_do_not_read_what_they_asked_for_one_that_does_is_answered(int maxWaitingBytes)
    {
        await using RendezvousServer server = Start(s_options with { MaxWaitingBytes = maxWaitingBytes });
        byte[] hellos = [.. Enumerable.Repeat(Hello(), 64).SelectMany(hello => hello)];
        var deaf = new List<SslStream>();
        for (int count = 0; count < 6; count++)
        {
            deaf.Add(await ConnectAsync(server));
            for (int i = 0; i < 200; i++)
                await deaf[count].WriteAsync(hellos, _token);
        }

        await using SslStream stream = await ConnectAsync(server);
        for (int i = 0; i < 100; i++)
            await AskAsync(stream);
        foreach (SslStream other in deaf)
            await other.DisposeAsync();
    }

    [Fact]
    public void Places_are_counted_by_host_and_names_are_not_given_twice()
    {
        var connections = new HostConnections(max: 3, maxPerHost: 2, maxPerSite: 8, maxPerArea: 8);
        NetworkAddress one = Address("192.0.2.1:1000"), other = Address("[2001:db8::1]:5"), neighbour = Address("[2001:db8::2]:6");
        Assert.True(connections.TryTake(one, out NetworkAddress first));
        Assert.True(connections.TryTake(one.WithPort(2000), out NetworkAddress second));
        Assert.NotEqual(first, second);
        Assert.Equal(first.ToNetwork(), second.ToNetwork());
        Assert.False(connections.TryTake(one, out _));
        Assert.True(connections.TryTake(other, out NetworkAddress third));
        Assert.NotEqual(first.ToNetwork(), third.ToNetwork());
        Assert.False(connections.TryTake(neighbour, out _));
        connections.Return(one, first);
        connections.Return(one, first);
        Assert.Equal(2, connections.Count);
        Assert.True(connections.TryTake(neighbour, out NetworkAddress fourth));
        Assert.Equal(third.ToNetwork(), fourth.ToNetwork()); // One network of 64 bits is one host.
    }

    [Fact]
    [Trait("Spec", "RDV-51")]
    public void Places_are_counted_by_site_and_by_area()
    {
        var connections = new HostConnections(max: 100, maxPerHost: 2, maxPerSite: 3, maxPerArea: 4);
        NetworkAddress[] hosts = [Address("[2001:db8:7:1::1]:1"), Address("[2001:db8:7:2::1]:1"), Address("[2001:db8:7:3::1]:1")];
        Assert.True(connections.TryTake(hosts[0], out NetworkAddress first));
        Assert.True(connections.TryTake(hosts[1], out _));
        Assert.True(connections.TryTake(hosts[1], out _));
        Assert.False(connections.TryTake(hosts[2], out _));
        Assert.True(connections.TryTake(Address("[2001:db8:7:100::1]:1"), out _));
        Assert.False(connections.TryTake(Address("[2001:db8:7:200::1]:1"), out _));
        Assert.True(connections.TryTake(Address("[2001:db8:8::1]:1"), out _));
        connections.Return(hosts[0], first);
        Assert.True(connections.TryTake(hosts[2], out _));
    }

    [Fact]
    public async Task A_given_certificate_is_shown()
    {
        string file = Path.GetTempFileName();
        try
        {
            using X509Certificate2 made = ServerCertificate.Make(DateTimeOffset.UtcNow);
            await File.WriteAllTextAsync(file, made.ExportCertificatePem() + "\n" + made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), _token);
            using X509Certificate2 loaded = ServerCertificate.Load(file);
            await using RendezvousServer server = Start(s_options with { Certificate = loaded });
            await using SslStream stream = await ConnectAsync(server);
            Assert.Equal(made.GetCertHashString(), stream.RemoteCertificate!.GetCertHashString());
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static RendezvousServer Start(RendezvousTlsOptions options, ILogger? logger = null) =>
        RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0), logger: logger, tls: options);

    private static NetworkAddress Address(string text) => NetworkAddress.TryParse(text, out NetworkAddress address) ? address : throw new ArgumentException(text);

    private static byte[] Hello()
    {
        byte[] frame = new byte[2 + 128];
        StreamedDatagram.WriteHeader(frame, 128);
        (frame[2], frame[3]) = (0x60, (byte)RendezvousMessageType.Hello);
        return frame;
    }

    private async Task<Socket> ConnectPlainAsync(RendezvousServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.LocalTlsEndPoint!, _token);
        return socket;
    }

    private async Task<SslStream> ConnectAsync(RendezvousServer server)
    {
#pragma warning disable CA5359 // As peers do: RLY-10.
        var stream = new SslStream(new NetworkStream(await ConnectPlainAsync(server), ownsSocket: true), false, (_, _, _, _) => true);
#pragma warning restore CA5359
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "meet.example" }, _token);
        return stream;
    }

    private async Task<byte[]> AskAsync(SslStream stream)
    {
        await stream.WriteAsync(Hello(), _token);
        byte[] header = new byte[2];
        await stream.ReadExactlyAsync(header, _token);
        byte[] answer = new byte[header[0] | (header[1] << 8)];
        await stream.ReadExactlyAsync(answer, _token);
        return answer;
    }

    private async Task AssertClosedAsync(Socket socket)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, patience.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset is closed, too.
        }
    }

    private async Task WaitForConnectionsAsync(RendezvousServer server, int expected)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (int ticks = 0; server.TlsConnections != expected; ticks++)
        {
            Assert.True(ticks < 1500, $"There are {server.TlsConnections} connections, not {expected}.");
            await clock.WaitForNextTickAsync(_token);
        }
    }
}
