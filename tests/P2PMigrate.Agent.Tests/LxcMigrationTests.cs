using System.Net;
using System.Net.Sockets;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Containers of LXC, with the shipped program.</summary>
public sealed class LxcMigrationTests
{
    private const string Name = "c1";
    private const string BackTicket = "/tmp/back-ticket";
    private const string ClientAddress = "10.20.0.99";

    /// <summary>A line of the client's is answered with a count that only memory holds, and with the number of the connection.</summary>
    private const string Counter = """
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

    [Fact]
    [Trait("Spec", "MIG-160")]
    public async Task A_counter_and_its_connected_client_go_there_and_back()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await ContainerBridge.JoinAsync(peers.Source, peers.Target);
        await peers.Source.ShellAsync($"ip address add {ClientAddress}/{ContainerBridge.PrefixLength} dev {ContainerBridge.Name}");
        LxcContainer container = await LxcContainer.CreateAsync(peers.Source, Name, "/usr/bin/python3 /srv/counter.py");
        await peers.Source.WriteTextAsync($"{container.Rootfs}/srv/counter.py", Counter);
        await container.StartAsync();
        using Socket client = await ConnectAsync(peers.Source);
        Assert.Equal("1 1", await AskAsync(client));

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal("1 2", await AskAsync(client));
        Assert.Equal("RUNNING", await LxcContainer.Find(peers.Target, Name).StatusAsync());
        Assert.Null(await container.StatusAsync());

        MigrateResult back = await MigrateBackAsync(peers);
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal("1 3", await AskAsync(client));
        Assert.Equal("RUNNING", await container.StatusAsync());
        Assert.Null(await LxcContainer.Find(peers.Target, Name).StatusAsync());
        Assert.Equal("", await peers.Target.ShellAsync("ls /var/lib/lxc /var/lib/p2pmigrate/containers | grep -v : | grep . || :"));
    }

    private static async Task<MigrateResult> MigrateBackAsync(MigrationPeers peers)
    {
        await using LabProcess receive = await peers.Source.StartAsync(MigrationPeers.Program,
            ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--ticket-file", BackTicket, "--once", "--json"]);
        await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        string ticket = (await peers.Source.ReadTextAsync(BackTicket)).Trim();
        await using LabProcess migrate = await peers.Target.StartAsync(MigrationPeers.Program, ["migrate", Name, "--to", ticket, "--json"]);
        return await MigrationPeers.EndOfAsync(migrate);
    }

    private static async Task<Socket> ConnectAsync(VirtualHost host)
    {
        for (long deadline = Environment.TickCount64 + 20_000; ; await Task.Delay(50))
        {
            Socket socket = host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse(ClientAddress), 0));
                await socket.ConnectAsync(IPAddress.Parse("10.20.0.10"), 7000);
                return socket;
            }
            catch (SocketException) when (Environment.TickCount64 < deadline)
            {
                socket.Dispose();
            }
        }
    }

    private static async Task<string> AskAsync(Socket client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        byte[] answer = new byte[64];
        await client.SendAsync("?"u8.ToArray(), limit.Token);
        int length = await client.ReceiveAsync(answer, limit.Token);
        return System.Text.Encoding.ASCII.GetString(answer, 0, length).Trim();
    }
}
