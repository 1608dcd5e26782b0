using System.Net.Sockets;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PageServerSinkTests
{
    private static readonly PageServerDialect s_dialect = new(true);

    [Fact]
    public async Task A_dump_comes_over_loopback_once()
    {
        var pages = new RecordedPages();
        using var sink = new PageServerSink(s_dialect, pages, () => []);
        Task<long> run = sink.RunAsync(TestContext.Current.CancellationToken);

        using var criu = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await criu.ConnectAsync(sink.Address);
        await criu.SendAsync(new ScriptedCriu(s_dialect)
            .Send(PageServerCommand.Open2, 0, 0, 0, 0x101)
            .Send(PageServerCommand.AddFlagged, 4, 3, 0x1000, 0x101).Pages(3, 'p')
            .Send(PageServerCommand.Close, 0, 0, 0, 0).Sent);
        Assert.Equal(3, await run);
        Assert.True(pages.IsComplete);

        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(sink.Address));
    }

    [Fact]
    public async Task Cancelling_hangs_up_so_that_criu_fails_its_dump()
    {
        using var stop = new CancellationTokenSource();
        using var sink = new PageServerSink(s_dialect, new RecordedPages(), () => []);
        Task<long> run = sink.RunAsync(stop.Token);
        using var criu = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await criu.ConnectAsync(sink.Address);
        await criu.SendAsync(new ScriptedCriu(s_dialect).Send(PageServerCommand.Open2, 0, 0, 0, 0x101).Sent);
        Assert.Equal(1, await criu.ReceiveAsync(new byte[1]));

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Equal(0, await criu.ReceiveAsync(new byte[1]));
    }

    [Fact]
    public async Task A_criu_that_corks_its_socket_has_its_last_word_heard_all_the_same()
    {
        const int cork = 3;
        using var sink = new PageServerSink(s_dialect, new RecordedPages(), () => [Environment.ProcessId]);
        Task<long> run = sink.RunAsync(TestContext.Current.CancellationToken);
        using var criu = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await criu.ConnectAsync(sink.Address);
        criu.SetRawSocketOption((int)SocketOptionLevel.Tcp, cork, BitConverter.GetBytes(1));
        criu.NoDelay = true;
        await criu.SendAsync(new ScriptedCriu(s_dialect).Send(PageServerCommand.Open2, 0, 0, 0, 0x101).Sent);
        criu.NoDelay = true; // pushes what is corked, as CRIU does here
        Assert.Equal(1, await criu.ReceiveAsync(new byte[1]));

        byte[] corked = [1, 0, 0, 0];
        while (corked[0] != 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            criu.GetRawSocketOption((int)SocketOptionLevel.Tcp, cork, corked);
            await Task.Yield();
        }

        await criu.SendAsync(new ScriptedCriu(s_dialect).Send(PageServerCommand.Close, 0, 0, 0, 0).Sent);
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task The_kernel_tells_whose_connection_it_is()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        using Socket accepted = await listener.AcceptAsync();
        var ours = (System.Net.IPEndPoint)listener.LocalEndPoint!;
        Assert.True(LoopbackPeer.IsOurUser((System.Net.IPEndPoint)accepted.RemoteEndPoint!, ours));
        Assert.False(LoopbackPeer.IsOurUser(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1), ours));
    }
}
