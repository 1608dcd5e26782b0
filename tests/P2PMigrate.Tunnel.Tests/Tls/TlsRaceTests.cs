using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>A server's addresses, of which some lead nowhere.</summary>
[Trait("Spec", "RLY-18")]
public sealed class TlsRaceTests : IDisposable
{
    private readonly Socket _silent = Listen();
    private readonly Socket _good = Listen();
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_that_is_silent_does_not_keep_the_next_one_waiting_and_is_left()
    {
        Task serving = ServeOneAsync(_good);
        Task<Socket> left = _silent.AcceptAsync(_token).AsTask();
        TlsRace.Connection? winner = await TlsRace.RunAsync([_silent.LocalEndPoint!, _good.LocalEndPoint!], "localhost", _token);

        Assert.Equal(_good.LocalEndPoint, winner?.Socket.RemoteEndPoint);
        using Socket loser = await left;
        await ReadToEndAsync(loser);
        await winner!.Stream.DisposeAsync();
        await serving;
    }

    [Fact]
    public async Task Addresses_that_the_machine_cannot_use_or_that_refuse_do_not_hide_the_one_that_works()
    {
        Task serving = ServeOneAsync(_good);
        TlsRace.Connection? winner = await TlsRace.RunAsync([Unusable, Closed(), _good.LocalEndPoint!], "localhost", _token);
        Assert.Equal(_good.LocalEndPoint, winner?.Socket.RemoteEndPoint);
        await winner!.Stream.DisposeAsync();
        await serving;
    }

    [Fact]
    public async Task Without_any_address_that_works_there_is_no_connection() =>
        Assert.Null(await TlsRace.RunAsync([Unusable, Closed()], "localhost", _token));

    [Fact]
    public async Task Who_is_stopped_while_all_are_silent_gives_up()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_token);
        Task<TlsRace.Connection?> racing = TlsRace.RunAsync([_silent.LocalEndPoint!, _silent.LocalEndPoint!], "localhost", stop.Token);
        using Socket first = await _silent.AcceptAsync(_token);
        await stop.CancelAsync();
        Assert.Null(await racing);
        await ReadToEndAsync(first);
    }

    internal static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    public void Dispose()
    {
        _silent.Dispose();
        _good.Dispose();
        _certificate.Dispose();
    }

    // No machine speaks TCP over this family, as one without IPv6 does not over that.
    private static EndPoint Unusable => new UnixDomainSocketEndPoint("/nowhere");

    private static EndPoint Closed()
    {
        using Socket socket = Listen();
        return socket.LocalEndPoint!;
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private async Task ServeOneAsync(Socket listener)
    {
        using Socket socket = await listener.AcceptAsync(_token);
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _token);
        await ReadToEndAsync(socket);
    }

    private async Task ReadToEndAsync(Socket socket)
    {
        byte[] rest = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(rest, _token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // It was closed the hard way.
        }
    }
}
