using P2PMigrate.Lab;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>Two endpoints behind the lab's NAT routers and a server between them: real kernels translate the addresses.</summary>
public sealed class NatTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Peers_behind_port_restricted_NATs_punch_through()
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.PortRestricted, _token);

        PathSummary there = await WaitForDirectAsync(peers.Near);
        PathSummary back = await WaitForDirectAsync(peers.Far);
        await SendAsync(peers.Near, peers.Far, 4_000_000);

        output.WriteLine($"{peers.Near.Timings} {there}");
        Assert.StartsWith(LabAddresses.TargetNat.ToString(), there.Remote, StringComparison.Ordinal);
        Assert.StartsWith(LabAddresses.SourceNat.ToString(), back.Remote, StringComparison.Ordinal);
        Assert.Equal(PathKind.Direct, peers.Near.PrimaryPath?.Kind);
    }

    // spec: PATH-71, PATH-73, PATH-76
    [Theory]
    [InlineData("symmetric", "port-restricted")]
    [InlineData("port-restricted", "symmetric")]
    [InlineData("port-restricted", "symmetric-block")]
    [InlineData("symmetric-block", "symmetric-block")]
    public async Task Peers_whose_NATs_probes_do_not_open_punch_through_from_many_sockets(string source, string target)
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.Parse(source), NatKind.Parse(target), _token);
        output.WriteLine($"{await peers.Source.WaitNatAsync(_token)}\n{await peers.Target.WaitNatAsync(_token)}");

        await Task.WhenAll(WaitForDirectAsync(peers.Near), WaitForDirectAsync(peers.Far));
        output.WriteLine($"{peers.Near.Timings} {peers.Near.PrimaryPath} {peers.Far.PrimaryPath}");
        await SendAsync(peers.Near, peers.Far, 40_000_000);
        await SendAsync(peers.Far, peers.Near, 40_000_000);

        Assert.Equal((PathKind.Direct, PathKind.Direct), (peers.Near.PrimaryPath?.Kind, peers.Far.PrimaryPath?.Kind));
        Assert.True(peers.Server.Statistics.BytesRelayed < 4_000_000);
    }

    [Fact]
    public async Task Peers_behind_NATs_that_map_per_destination_use_the_relay()
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.Symmetric, _token);

        await SendAsync(peers.Near, peers.Far, 4_000_000);

        output.WriteLine($"{peers.Near.Timings} {peers.Near.PrimaryPath}");
        Assert.Equal((PathKind.Relay, PathKind.Relay), (peers.Near.PrimaryPath?.Kind, peers.Far.PrimaryPath?.Kind));
        Assert.True(peers.Server.Statistics.BytesRelayed > 4_000_000);
    }

    [Fact]
    public async Task A_session_is_lost_at_both_ends_when_a_cable_is_pulled()
    {
        await using NattedPeers peers = await NattedPeers.ConnectAsync(NatKind.PortRestricted, _token);

        await peers.Lab.CutAsync(peers.Lab.Target, _token);

        TimeSpan within = TimeSpan.FromSeconds(12);
        Assert.True((await peers.Near.Completion.WaitAsync(within, _token)).IsLost);
        Assert.True((await peers.Far.Completion.WaitAsync(within, _token)).IsLost);
    }

    private async Task<PathSummary> WaitForDirectAsync(TunnelSession session)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        patience.CancelAfter(s_patience);
        await foreach (PathSummary path in session.WatchPathAsync(patience.Token))
        {
            if (path.Kind == PathKind.Direct)
                return path;
        }

        throw new InvalidOperationException("The session ended before it had a direct path.");
    }

    private async Task SendAsync(TunnelSession near, TunnelSession far, int bytes)
    {
        ITunnelStream from = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        Task sending = Task.Run(
            async () =>
            {
                await from.Output.WriteAsync(new byte[bytes], _token);
                await from.Output.CompleteAsync();
            },
            _token);
        ITunnelStream to = await far.AcceptStreamAsync(_token);
        using var received = new MemoryStream();
        await to.Input.CopyToAsync(received, _token);
        await sending;
        Assert.Equal(bytes, received.Length);
    }
}
