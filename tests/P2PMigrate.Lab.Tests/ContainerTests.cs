namespace P2PMigrate.Lab.Tests;

/// <summary>What migrations stand on: runc and CRIU work in a virtual host.</summary>
public sealed class ContainerTests : LabTest, IAsyncLifetime
{
    private const string Images = "--image-path /data/images --work-path /data/images --tcp-established";

    /// <summary>Holds 128 MiB of distinct pages; tells each connection how many there have been and how many pages are wrong.</summary>
    private const string Counter =
        """
        import socket
        memory = bytearray(128 << 20)
        for page in range(0, len(memory), 4096): memory[page:page + 8] = page.to_bytes(8, 'little')
        listener = socket.create_server(('0.0.0.0', 4000))
        count = 0
        while True:
            connection, _ = listener.accept()
            count += 1
            bad = sum(memory[page:page + 8] != page.to_bytes(8, 'little') for page in range(0, len(memory), 4096))
            connection.sendall(f'{count} {bad}'.encode())
            connection.close()
        """;

    private LoneHost _lone = null!;

    private VirtualHost Host => _lone.Host;

    public async ValueTask InitializeAsync() => _lone = await LoneHost.RaiseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_lone is not null) await _lone.DisposeAsync();
    }

    [Fact]
    public async Task A_container_of_128_MiB_goes_on_after_checkpoint_and_restore()
    {
        ContainerBundle container = await StartAsync("counter", "python3", "-c", Counter);
        Assert.Equal("1 0", await AskAsync());

        await Host.ShellAsync($"runc checkpoint {Images} counter");
        Assert.Empty(container.Pids);
        await Host.ShellAsync($"runc restore --detach --bundle {container.Directory} {Images} counter < /dev/null > /dev/null 2>&1");

        Assert.Equal("2 0", await AskAsync());
        Assert.Equal("running", await container.StatusAsync());
        Assert.Single(container.Pids);
    }

    [Fact]
    public async Task A_redis_with_a_connection_goes_on_after_checkpoint_and_restore()
    {
        ContainerBundle container = await StartAsync("redis", "redis-server", "--save", "", "--bind", "*", "--protected-mode", "no");
        using Socket client = await ConnectAsync(6379);
        Assert.Equal(":1\r\n", await RequestAsync(client, "INCR n\r\n"));

        await Host.ShellAsync($"runc checkpoint {Images} redis");
        await Host.ShellAsync($"runc restore --detach --bundle {container.Directory} {Images} redis < /dev/null > /dev/null 2>&1");

        Assert.Equal(":2\r\n", await RequestAsync(client, "INCR n\r\n"));
    }

    [Fact]
    public async Task A_detached_container_is_out_of_reach_until_it_is_attached_again()
    {
        ContainerNetwork network = await ContainerNetwork.CreateAsync(Host, "c", attached: false);
        using Socket inside = network.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        inside.Bind(new IPEndPoint(IPAddress.Any, 0));
        using Socket outside = BindUdp(Host, IPAddress.Any);
        var destination = new IPEndPoint(IPAddress.Parse(network.Address), AddressOf(inside).Port);

        await network.AttachAsync();
        await SendAsync(outside, "attached", destination);
        Assert.Equal("attached", (await ReceiveAsync(inside)).Text);
        await network.DetachAsync();
        await SendAsync(outside, "detached", destination);

        Assert.Equal("down", (await Host.ShellAsync($"cat /sys/class/net/{network.Veth}/operstate")).Trim());
        Assert.Equal(0, inside.Available);
    }

    [Fact]
    public async Task A_container_that_cannot_start_says_why()
    {
        var options = new ContainerOptions { Name = "broken", Arguments = ["no-such-program"] };
        ContainerBundle container = await ContainerBundle.CreateAsync(Host, options);

        LabException failure = await Assert.ThrowsAsync<LabException>(() => container.StartAsync());

        Assert.Contains("executable file not found", failure.Message, StringComparison.Ordinal);
        Assert.Null(await container.StatusAsync());
    }

    private async Task<ContainerBundle> StartAsync(string name, params string[] arguments)
    {
        ContainerNetwork network = await ContainerNetwork.CreateAsync(Host, name);
        var options = new ContainerOptions { Name = name, Arguments = arguments, NetworkNamespacePath = network.Path, MemoryLimit = 1 << 30 };
        ContainerBundle container = await ContainerBundle.CreateAsync(Host, options);
        await container.StartAsync();
        return container;
    }

    private async Task<string> AskAsync()
    {
        using Socket socket = await ConnectAsync(4000);
        return await RequestAsync(socket, "");
    }

    /// <summary>Tries until the container listens: it may still be starting.</summary>
    private async Task<Socket> ConnectAsync(int port)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            Socket socket = Host.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Parse("10.20.0.10"), port, limit.Token);
                return socket;
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                socket.Dispose();
                await Task.Delay(20, limit.Token);
            }
        }
    }

    private static async Task<string> RequestAsync(Socket socket, string request)
    {
        byte[] buffer = new byte[100];
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        int length = await socket.ReceiveAsync(buffer).WaitAsync(Patience);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}
