using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>How sessions begin, move and end.</summary>
public sealed class SessionTests(ITestOutputHelper output)
{
    private static readonly byte[] s_hello = [1, 2, 3, 4, 5];
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Peers_that_met_at_the_server_find_their_direct_path()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();

        Assert.Equal(peers.Target.LocalEndPoint.ToString(), (await Peers.WaitForPathAsync(near, PathKind.Direct)).Remote);
        await Peers.WaitForPathAsync(far, PathKind.Direct);
        await Peers.OpenStreamAsync(near, far);

        output.WriteLine($"{near.Timings} {near.PrimaryPath}");
        Assert.NotNull(near.Timings.ToDirect);
    }

    [Fact]
    public async Task Data_flows_over_the_relay_and_moves_to_the_direct_path_once_there_is_one()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        peers.BlockDirectPaths();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        Assert.Equal((PathKind.Relay, PathKind.Relay), (near.PrimaryPath!.Kind, far.PrimaryPath!.Kind));
        Assert.Null(near.Timings.ToDirect);

        peers.UnblockDirectPaths();
        await Peers.WaitForPathAsync(near, PathKind.Direct);
        await Peers.WaitForPathAsync(far, PathKind.Direct);

        await from.Output.WriteAsync(s_hello, _token);
        Assert.Equal(s_hello, (await to.Input.ReadAtLeastAsync(s_hello.Length, _token)).Buffer.ToArray());
        output.WriteLine($"{near.Timings}");
    }

    [Fact]
    public async Task A_session_falls_back_to_the_relay_when_its_direct_path_dies()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        await Peers.WaitForPathAsync(near, PathKind.Direct);
        await Peers.WaitForPathAsync(far, PathKind.Direct);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        peers.BlockDirectPaths();
        await from.Output.WriteAsync(s_hello, _token);

        Assert.Equal(s_hello, (await to.Input.ReadAtLeastAsync(s_hello.Length, _token)).Buffer.ToArray());
        await Peers.WaitForPathAsync(near, PathKind.Relay);
        Assert.False(near.Completion.IsCompleted);
    }

    [Fact]
    public async Task An_endpoint_without_direct_paths_stays_on_the_relay()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        TunnelEndpoint shy = await peers.OpenOneAsync(options => options with { AllowDirectPaths = false });
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(shy, peers.Target);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        await from.Output.WriteAsync(new byte[1_000_000], _token);

        Assert.Equal(1_000_000, (await to.Input.ReadAtLeastAsync(1_000_000, _token)).Buffer.Length);
        Assert.Equal((PathKind.Relay, PathKind.Relay), (near.PrimaryPath!.Kind, far.PrimaryPath!.Kind));
    }

    [Fact]
    public async Task A_close_delivers_what_was_written_and_then_its_reason()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        await from.Output.WriteAsync(new byte[1_000_000], _token);

        await near.CloseAsync(0x123, "no room", _token);

        Assert.Equal(new SessionEnd(0x123, "no room", ByPeer: false, IsLost: false), await near.Completion);
        Assert.Equal(new SessionEnd(0x123, "no room", ByPeer: true, IsLost: false), await far.Completion);
        ReadResult result = await to.Input.ReadAtLeastAsync(1_000_000, _token);
        Assert.Equal(1_000_000, result.Buffer.Length);
        to.Input.AdvanceTo(result.Buffer.End);
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => to.Input.ReadAsync(_token).AsTask());
        Assert.Equal(TunnelFailure.Closed, error.Reason);
        Assert.Contains("no room", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TunnelException>(() => far.OpenStreamAsync(StreamPriority.Bulk, _token).AsTask());
        await Assert.ThrowsAsync<TunnelException>(() => near.AcceptStreamAsync(_token).AsTask());
    }

    [Fact]
    public async Task A_peer_that_disappears_is_lost_within_ten_seconds()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, _) = await Peers.OpenStreamAsync(near, far);

        peers.Kill(peers.Target);

        SessionEnd end = await near.Completion.WaitAsync(TimeSpan.FromSeconds(12), _token);
        Assert.True(end.IsLost);
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => from.Output.WriteAsync(s_hello, _token).AsTask());
        Assert.Equal(TunnelFailure.Lost, error.Reason);
        Assert.Null(near.PrimaryPath);
    }

    [Fact]
    public async Task Sessions_of_several_peers_do_not_disturb_each_other()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        TunnelEndpoint third = await peers.OpenOneAsync();
        (TunnelSession first, TunnelSession firstEnd) = await Peers.ConnectAsync(peers.Source, peers.Target);
        (TunnelSession second, TunnelSession secondEnd) = await Peers.ConnectAsync(third, peers.Target);
        (TunnelSession back, TunnelSession backEnd) = await Peers.ConnectAsync(peers.Target, third);
        Assert.Equal(third.PeerId, secondEnd.Peer);

        await second.CloseAsync(0x100, "done", _token);

        await Peers.OpenStreamAsync(first, firstEnd);
        await Peers.OpenStreamAsync(backEnd, back);
        Assert.False(first.Completion.IsCompleted || back.Completion.IsCompleted);
    }

    [Fact]
    public async Task Peers_talk_over_IPv6_as_well()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "IPv6 is not available on this machine");
        await using Peers peers = await Peers.OpenAsync();
        TunnelEndpoint target = await peers.OpenOneAsync(options => options with { Listen = new IPEndPoint(IPAddress.IPv6Loopback, 0) });
        TunnelEndpoint source = await peers.OpenOneAsync(options => options with { Listen = new IPEndPoint(IPAddress.IPv6Any, 0) });
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(source, target);
        await Peers.OpenStreamAsync(near, far);
        Assert.Equal(target.LocalEndPoint.ToString(), near.PrimaryPath!.Remote);
    }

    [Fact]
    public async Task The_portable_socket_carries_a_session_too()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        TunnelEndpoint portable = await peers.OpenOneAsync(listen => new PortableDatagramSocket(DatagramSocket.Bind(listen)));
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(portable, peers.Target);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        await from.Output.WriteAsync(new byte[1_000_000], _token);
        Assert.Equal(1_000_000, (await to.Input.ReadAtLeastAsync(1_000_000, _token)).Buffer.Length);
    }

    [Fact]
    public async Task A_session_without_anything_to_say_hardly_speaks()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        await Peers.OpenStreamAsync(near, far);
        long before = near.Statistics.DatagramsSent;

        // Three seconds of the real clock: the keep-alive of a primary path comes every two.
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(3));
        await timer.WaitForNextTickAsync(_token);

        Assert.InRange(near.Statistics.DatagramsSent - before, 0, 20);
    }

    [Fact]
    public async Task A_disposed_endpoint_says_goodbye_and_leaves_no_thread_and_no_socket()
    {
        Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, _) = await Peers.OpenStreamAsync(near, far);
        IPEndPoint address = peers.Source.LocalEndPoint;
        ValueTask<TunnelSession> accepting = peers.Source.AcceptAsync(_token);

        await peers.Source.DisposeAsync();

        Assert.Equal((true, false), ((await far.Completion).ByPeer, (await far.Completion).IsLost));
        Assert.False((await near.Completion).IsLost);
        await Assert.ThrowsAsync<TunnelException>(() => accepting.AsTask());
        await Assert.ThrowsAsync<TunnelException>(() => peers.Source.IssueTicketAsync(Peers.Hour, _token).AsTask());
        await Assert.ThrowsAsync<TunnelException>(() => from.Output.WriteAsync(s_hello, _token).AsTask());
        using var successor = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        successor.Bind(address);
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain($"tunnel:{address.Port}", ThreadNames());
        await peers.DisposeAsync();
    }

    private static IEnumerable<string> ThreadNames() => Directory.EnumerateDirectories("/proc/self/task").Select(task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    });
}
