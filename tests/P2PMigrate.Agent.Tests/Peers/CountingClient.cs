using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Peers;

/// <summary>A client with one connection to a container, which is to outlive its moves.</summary>
internal sealed class CountingClient : IDisposable
{
    /// <summary>What the container runs: each byte of a client's is answered with the number of its connection and with a count that only memory holds.</summary>
    public const string Server = """
        import socket
        server = socket.create_server(("0.0.0.0", 7000))
        count = connections = 0
        while True:
            connection, _ = server.accept()
            connections += 1
            while connection.recv(1):
                count += 1
                connection.sendall(b"%d %d\n" % (connections, count))
        """;

    private const string Address = "10.20.0.99"; // on the bridge, which the hosts share
    private static readonly IPEndPoint s_server = new(IPAddress.Parse("10.20.0.10"), 7000);

    private readonly Socket _socket;

    private CountingClient(Socket socket) => _socket = socket;

    /// <summary>Connects from <paramref name="host"/> as soon as the server is there.</summary>
    public static async Task<CountingClient> ConnectAsync(VirtualHost host)
    {
        await host.ShellAsync($"ip address replace {Address}/{ContainerBridge.PrefixLength} dev {ContainerBridge.Name}");
        for (long deadline = Environment.TickCount64 + 20_000; ; await Task.Delay(50))
        {
            Socket socket = host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse(Address), 0));
                await socket.ConnectAsync(s_server);
                return new CountingClient(socket);
            }
            catch (SocketException) when (Environment.TickCount64 < deadline)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>What the server answers: connection, count.</summary>
    public async Task<string> AskAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        byte[] answer = new byte[64];
        await _socket.SendAsync("?"u8.ToArray(), limit.Token);
        int length = await _socket.ReceiveAsync(answer, limit.Token);
        return System.Text.Encoding.ASCII.GetString(answer, 0, length).Trim();
    }

    public void Dispose() => _socket.Dispose();
}
