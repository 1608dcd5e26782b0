using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>How streams end before their time, and what the other side is told; over loopback and in memory alike.</summary>
public sealed class StreamEndTests
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    // spec: STR-30
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_carries_the_code_of_the_writer(bool isInMemory)
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(pair.Near, pair.Far);

        await from.Output.CompleteAsync(new TunnelException("the source gave up", 4711));

        TunnelException thrown = await Assert.ThrowsAsync<TunnelException>(async () => await to.Input.ReadAsync(_token));
        Assert.Equal((TunnelFailure.StreamReset, 4711UL), (thrown.Reason, thrown.Code));
        await AssertFlowsAsync(to, from);
    }

    // spec: STR-31
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_that_leaves_tells_the_writer_its_code(bool isInMemory)
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(pair.Near, pair.Far);

        await to.Input.CompleteAsync(new TunnelException("enough", 88));

        TunnelException thrown = await Assert.ThrowsAsync<TunnelException>(async () =>
        {
            while (!(await from.Output.WriteAsync(new byte[1000], _token)).IsCompleted)
            {
            }

            throw new TunnelException("the writer was told without an exception", 0);
        });
        Assert.Equal((TunnelFailure.StreamReset, 88UL), (thrown.Reason, thrown.Code));
        await AssertFlowsAsync(to, from);
    }

    // spec: STR-06
    [Fact]
    public async Task Streams_that_nobody_accepts_are_never_more_than_the_limit()
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory: false);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        int opened = 0;
        Task opening = Task.Run(async () =>
        {
            while (true)
            {
                ITunnelStream stream = await pair.Near.OpenStreamAsync(StreamPriority.Urgent, patience.Token);
                Interlocked.Increment(ref opened);
                await stream.Output.WriteAsync(new byte[1], patience.Token);
                await stream.DisposeAsync();
            }
        }, _token);

        // Each of these round trips would let the opener go on if ended streams made room.
        (ITunnelStream near, ITunnelStream far) = await OpenControlAsync(pair);
        for (int i = 0; i < 200; i++)
        {
            await AssertFlowsAsync(near, far);
            await AssertFlowsAsync(far, near);
        }

        Assert.InRange(Volatile.Read(ref opened), 1, 256);
        for (int i = 0; i < 300; i++)
            await (await pair.Far.AcceptStreamAsync(_token)).DisposeAsync();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }

    [Fact]
    public async Task A_weight_is_within_bounds()
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory: false);
        (ITunnelStream from, _) = await Peers.OpenStreamAsync(pair.Near, pair.Far);
        from.Weight = ITunnelStream.MaxWeight;
        Assert.Equal(ITunnelStream.MaxWeight, from.Weight);
        Assert.Throws<ArgumentOutOfRangeException>(() => from.Weight = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => from.Weight = 17);
    }

    private async Task<(ITunnelStream Near, ITunnelStream Far)> OpenControlAsync(Pair pair)
    {
        ITunnelStream near = await pair.Near.OpenStreamAsync(StreamPriority.Control, _token);
        await near.Output.WriteAsync(new byte[1], _token);
        while (true)
        {
            ITunnelStream accepted = await pair.Far.AcceptStreamAsync(_token);
            if (accepted.Priority != StreamPriority.Control)
                continue;
            ReadResult first = await accepted.Input.ReadAsync(_token);
            accepted.Input.AdvanceTo(first.Buffer.GetPosition(1));
            return (near, accepted);
        }
    }

    private async Task AssertFlowsAsync(ITunnelStream from, ITunnelStream to)
    {
        await from.Output.WriteAsync(new byte[5], _token);
        ReadResult result = await to.Input.ReadAtLeastAsync(5, _token);
        Assert.Equal(5, result.Buffer.Length);
        to.Input.AdvanceTo(result.Buffer.End);
    }
}
