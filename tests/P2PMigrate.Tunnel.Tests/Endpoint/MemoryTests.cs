using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>
/// What sessions of real endpoints keep in memory, pipes and drivers included: the collected heap, without the pages in which libsodium keeps keys.
/// What an endpoint has once for all its sessions is there before.
/// </summary>
[Collection(nameof(MemoryTests))]
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class MemoryTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task An_idle_session_keeps_less_than_64_KiB_at_each_end()
    {
        const int Sessions = 40, Bytes = 100_000;
        await using Peers peers = await Peers.OpenAsync();
        var kept = new List<object> { await UseAsync(peers, Bytes) };
        await Task.Delay(s_rest, Peers.Token);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Sessions; i++)
            kept.Add(await UseAsync(peers, Bytes));

        await Task.Delay(s_rest, Peers.Token);
        long perSession = (GC.GetTotalMemory(forceFullCollection: true) - before) / (2 * Sessions);
        output.WriteLine($"{perSession} bytes for each session at each end");
        GC.KeepAlive(kept);
        Assert.InRange(perSession, 1, 64 << 10);
    }

    [Fact]
    public async Task A_session_with_a_window_of_64_MB_that_nobody_reads_keeps_less_than_100_MB_at_both_ends_together()
    {
        const int Window = 64 << 20, Piece = 1 << 20;
        await using Peers peers = await Peers.OpenAsync();
        TunnelEndpoint target = await peers.OpenOneAsync(options => options with
        {
            Parameters = new TransportParameters { Bulk = new(StreamWindow: Window, ClassWindow: Window, Streams: 4) },
        });
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(peers.Source, target);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        long before = GC.GetTotalMemory(forceFullCollection: true), written = 0;

        using var stuck = CancellationTokenSource.CreateLinkedTokenSource(Peers.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            byte[] piece = new byte[Piece];
            for (; ; written += Piece)
            {
                stuck.CancelAfter(s_rest); // Everybody's buffers are full once a piece does not go for so long.
                await from.Output.WriteAsync(piece, stuck.Token);
            }
        });

        long kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{written / 1e6:F1} MB written, {far.Statistics.WireReceived / 1e6:F1} MB arrived, {kept / 1e6:F1} MB kept at both ends");
        Assert.InRange(far.Statistics.WireReceived, Window, long.MaxValue); // It waits there, and not with the sender.
        Assert.InRange(kept, Window, 100_000_000);
        GC.KeepAlive(to);
    }

    /// <summary>A session that has carried bytes over a stream which has ended.</summary>
    private static async Task<(TunnelSession, TunnelSession)> UseAsync(Peers peers, int bytes)
    {
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        await from.Output.WriteAsync(new byte[bytes], Peers.Token);
        await from.Output.CompleteAsync();
        while (true)
        {
            var read = await to.Input.ReadAsync(Peers.Token);
            to.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        await to.DisposeAsync();
        await from.DisposeAsync();
        return (near, far);
    }
}
