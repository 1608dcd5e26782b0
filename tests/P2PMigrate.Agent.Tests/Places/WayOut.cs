using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>
/// A way from a host of the lab to a server outside: a port on the host's own loopback. It counts what goes to the server, and holds everything that would go beyond <see cref="HoldsAt"/>.
/// </summary>
internal sealed class WayOut : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly Uri _server;
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private long _sent;

    public WayOut(VirtualHost host, Uri server)
    {
        _server = server;
        _listener = host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public Uri Endpoint => new($"http://{_listener.LocalEndPoint}");

    /// <summary>What a user of the host has in the environment.</summary>
    public IReadOnlyDictionary<string, string> Environment => CephServer.EnvironmentOf(Endpoint).ToDictionary(pair => pair.Key, pair => pair.Value!);

    /// <summary>Bytes that the server was sent.</summary>
    public long SentBytes => Interlocked.Read(ref _sent);

    /// <summary>So many bytes go through and no more.</summary>
    public long HoldsAt { get; init; } = long.MaxValue;

    /// <summary>Is done when something is held.</summary>
    public Task Held => _held.Task;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var carried = new List<Task>();
        try
        {
            while (true)
                carried.Add(CarryAsync(await _listener.AcceptAsync(_end.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        await Task.WhenAll(carried);
    }

    private async Task CarryAsync(Socket accepted)
    {
        using (accepted)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _end.Token);
                using var client = new NetworkStream(accepted);
                await Task.WhenAny(SendAsync(client, server.GetStream()), server.GetStream().CopyToAsync(client, _end.Token));
            }
            catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
            {
            }
        }
    }

    private async Task SendAsync(NetworkStream client, NetworkStream server)
    {
        byte[] buffer = new byte[65536];
        while (await client.ReadAsync(buffer, _end.Token) is > 0 and var read)
        {
            if (SentBytes + read > HoldsAt)
            {
                _held.TrySetResult();
                await Task.Delay(Timeout.Infinite, _end.Token);
            }

            Interlocked.Add(ref _sent, read);
            await server.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }
}
