using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>What usually listens at port 443: it does not understand what it is told, says so, and hangs up.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private int _count;

    public WebServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _work = Task.Run(ServeAsync);
    }

    public ushort Port => (ushort)((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Connections that there ever were.</summary>
    public int Count => Volatile.Read(ref _count);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        using var certificate = TlsRaceTests.MakeCertificate();
        while (true)
        {
            using Socket socket = await _listener.AcceptAsync(_stop.Token);
            Interlocked.Increment(ref _count);
            await using var stream = new SslStream(new NetworkStream(socket));
            try
            {
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stop.Token);
                await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8.ToArray(), _stop.Token);
                await stream.ShutdownAsync();
            }
            catch (Exception error) when (error is IOException or AuthenticationException)
            {
                // The caller has gone.
            }
        }
    }
}
