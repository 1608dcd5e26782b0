using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>
/// A TCP link to a server that lets every request through and, while <see cref="LosesAnswers"/> is above 0, closes in place of the answer: the server has done what was asked, and the client
/// does not know, or with <see cref="CutsInside"/> has a part of the answer.
/// </summary>
internal sealed class LossyLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Uri _server;
    private readonly Task _accepting;
    private int _losses;

    public LossyLink(Uri server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Endpoint => new($"http://{_listener.LocalEndpoint}");

    /// <summary>How many answers are still to be lost.</summary>
    public int LosesAnswers
    {
        get => Volatile.Read(ref _losses);
        set => Volatile.Write(ref _losses, value);
    }

    /// <summary>Do such answers begin and end too early, rather than not come at all?</summary>
    public bool CutsInside { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _end.Token);
                _ = client.GetStream().CopyToAsync(server.GetStream(), _end.Token);
                await AnswerAsync(server.GetStream(), client.GetStream());
            }
            catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
            {
            }
        }
    }

    private async Task AnswerAsync(NetworkStream server, NetworkStream client)
    {
        byte[] buffer = new byte[65536];
        while (await server.ReadAsync(buffer, _end.Token) is > 0 and var read)
        {
            if (LosesAnswers > 0)
            {
                Interlocked.Decrement(ref _losses);
                if (CutsInside)
                    await client.WriteAsync(buffer.AsMemory(0, read - 1), _end.Token);
                return;
            }

            await client.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }
}
