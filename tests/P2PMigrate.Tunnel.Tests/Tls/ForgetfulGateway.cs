using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>Lets TCP connections through to one address, until it forgets them: what is sent afterwards goes nowhere, and no side hears of it.</summary>
internal sealed class ForgetfulGateway : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _to;
    private readonly Task _work;
    private CancellationTokenSource _memory = new();
    private int _count;

    public ForgetfulGateway(IPEndPoint to)
    {
        _to = to;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _work = Task.Run(AcceptAsync);
    }

    public ushort Port => (ushort)((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Connections that there ever were.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Forget() => Interlocked.Exchange(ref _memory, new CancellationTokenSource()).Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Forget();
        _listener.Dispose();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Socket socket in _sockets)
            socket.Dispose();
        _stop.Dispose();
        _memory.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket near = await _listener.AcceptAsync(_stop.Token);
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _sockets.Add(near);
            _sockets.Add(far);
            Interlocked.Increment(ref _count);
            near.NoDelay = true;
            await far.ConnectAsync(_to, _stop.Token);
            CancellationToken memory = Volatile.Read(ref _memory).Token;
            _ = MoveAsync(near, far, memory);
            _ = MoveAsync(far, near, memory);
        }
    }

    private static async Task MoveAsync(Socket from, Socket to, CancellationToken memory)
    {
        byte[] piece = new byte[64 << 10];
        while (await from.ReceiveAsync(piece, memory) is > 0 and int length)
            await to.SendAsync(piece.AsMemory(0, length), memory);
        to.Shutdown(SocketShutdown.Send);
    }
}
