using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Trips;

/// <summary>
/// A client of the witness with one connection that it keeps: it adds one, hears the sum, and adds again. While the container stands still it waits. Its connection breaks only when the
/// container goes to another machine.
/// </summary>
internal sealed class AddingClient : IAsyncDisposable
{
    private static readonly IPEndPoint s_address = new(IPAddress.Parse("10.20.0.10"), 7002);
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(10);

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _adding;

    private AddingClient(Socket socket, long least, long most)
    {
        (_socket, Sum, Sent) = (socket, least, most);
        _adding = AddAsync();
    }

    /// <summary>The last sum that was heard.</summary>
    public long Sum { get; private set; }

    /// <summary>What the sum is at most: one may have been added of which no answer came.</summary>
    public long Sent { get; private set; }

    /// <summary>What must not have happened, or null.</summary>
    public string? Wrong { get; private set; }

    /// <summary>Connects on <paramref name="host"/>, to a container whose sum is between <paramref name="least"/> and <paramref name="most"/>.</summary>
    public static async Task<AddingClient> ConnectAsync(VirtualHost host, long least, long most)
    {
        Socket socket = host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await socket.ConnectAsync(s_address, limit.Token);
        return new AddingClient(socket, least, most);
    }

    /// <summary>Waits until another sum is heard over the same connection; false when none comes.</summary>
    public async Task<bool> HearAsync(TimeSpan limit)
    {
        long before = Sum;
        for (long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds; Environment.TickCount64 < deadline && !_adding.IsCompleted; await Task.Delay(s_between))
        {
            if (Sum > before)
                return true;
        }

        return false;
    }

    /// <summary>Adds no more; from now on the figures stay what they are.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _adding;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task AddAsync()
    {
        try
        {
            await using var stream = new NetworkStream(_socket);
            using var reader = new StreamReader(stream);
            while (!_stop.IsCancellationRequested)
            {
                long least = Sum + 1, most = Math.Max(Sent, Sum) + 1;
                Sent = most;
                await stream.WriteAsync("add\n"u8.ToArray(), _stop.Token);
                if (await reader.ReadLineAsync(_stop.Token) is not { } line)
                    return;
                Sum = JsonDocument.Parse(line).RootElement.GetProperty("sum").GetInt64();
                if (Sum < least || Sum > most)
                    Wrong ??= string.Create(CultureInfo.InvariantCulture, $"the sum is {Sum} and not between {least} and {most}");
                Sent = Sum;
                await Task.Delay(s_between, _stop.Token);
            }
        }
        catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
        {
            // The container is elsewhere, or the test is over.
        }
    }
}
