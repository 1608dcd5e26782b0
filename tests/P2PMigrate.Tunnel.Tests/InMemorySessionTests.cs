using System.Buffers;
using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Tests;

/// <summary>The promises of a session that need no network, kept by the in-memory pair.</summary>
public sealed class InMemorySessionTests
{
    private static readonly byte[] s_hello = [1, 2, 3, 4, 5];
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_appears_at_the_peer_with_its_first_byte_and_ends_after_the_last()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream opened = await near.OpenStreamAsync(StreamPriority.Control, _token);
        ValueTask<ITunnelStream> accepting = far.AcceptStreamAsync(_token);
        Assert.False(accepting.IsCompleted);

        await opened.Output.WriteAsync(s_hello, _token);
        await opened.Output.CompleteAsync();
        ITunnelStream accepted = await accepting;

        Assert.Equal(StreamPriority.Control, accepted.Priority);
        Assert.Equal(s_hello, await ReadToEndAsync(accepted.Input));
        await accepted.Output.WriteAsync(s_hello, _token);
        await accepted.Output.CompleteAsync();
        Assert.Equal(s_hello, await ReadToEndAsync(opened.Input));
    }

    [Fact]
    public async Task A_weight_has_the_same_bounds_as_over_a_network()
    {
        (InMemorySession near, _) = InMemorySession.CreatePair();
        ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        stream.Weight = ITunnelStream.MaxWeight;
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Weight = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Weight = ITunnelStream.MaxWeight + 1);
        Assert.Equal(ITunnelStream.MaxWeight, stream.Weight);
    }

    [Fact]
    public void Datagrams_are_counted_where_they_arrive()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        Assert.True(near.Datagrams.TrySend(s_hello));
        Assert.Equal(new DatagramStatistics(1, 0, 0, 0), near.Datagrams.Statistics);
        Assert.Equal(new DatagramStatistics(0, 0, 1, 0), far.Datagrams.Statistics);
    }

    [Fact]
    public async Task A_cut_link_is_lost_for_both_ends_and_for_every_stream()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        await stream.Output.WriteAsync(s_hello, _token);
        ITunnelStream accepted = await far.AcceptStreamAsync(_token);
        ValueTask<ReadResult> reading = stream.Input.ReadAsync(_token);

        near.Cut();

        Assert.True((await near.Completion).IsLost);
        Assert.True((await far.Completion).IsLost);
        await AssertFailsAsync(TunnelFailure.Lost, () => reading.AsTask());
        await AssertFailsAsync(TunnelFailure.Lost, () => accepted.Input.ReadAsync(_token).AsTask());
        await AssertFailsAsync(TunnelFailure.Lost, () => stream.Output.WriteAsync(s_hello, _token).AsTask());
        await AssertFailsAsync(TunnelFailure.Lost, () => near.OpenStreamAsync(StreamPriority.Bulk, _token).AsTask());
        await AssertFailsAsync(TunnelFailure.Lost, () => far.AcceptStreamAsync(_token).AsTask());
    }

    [Fact]
    public async Task After_a_polite_close_what_arrived_can_still_be_read()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Control, _token);
        await stream.Output.WriteAsync(s_hello, _token);
        ITunnelStream accepted = await far.AcceptStreamAsync(_token);

        await near.CloseAsync(7, "no room", _token);

        Assert.Equal(new SessionEnd(7, "no room", ByPeer: true, IsLost: false), await far.Completion);
        ReadResult result = await accepted.Input.ReadAsync(_token);
        Assert.Equal(s_hello, result.Buffer.ToArray());
        accepted.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        await AssertFailsAsync(TunnelFailure.Closed, () => accepted.Input.ReadAsync(_token).AsTask());
    }

    [Fact]
    public async Task Disposing_a_stream_before_its_end_resets_it()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        await stream.Output.WriteAsync(s_hello, _token);
        ITunnelStream accepted = await far.AcceptStreamAsync(_token);

        await stream.DisposeAsync();

        await AssertFailsAsync(TunnelFailure.StreamReset, () => accepted.Input.ReadAsync(_token).AsTask());
        await AssertFailsAsync(TunnelFailure.StreamReset, () => accepted.Output.WriteAsync(s_hello, _token).AsTask());
    }

    [Fact]
    public async Task A_writer_waits_while_the_reader_does_not_read()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
        ValueTask<FlushResult> flushing = stream.Output.WriteAsync(new byte[2 << 20], _token);
        Assert.False(flushing.IsCompleted);

        ITunnelStream accepted = await far.AcceptStreamAsync(_token);
        ReadResult result = await accepted.Input.ReadAsync(_token);
        accepted.Input.AdvanceTo(result.Buffer.End);

        await flushing;
    }

    private static async Task<byte[]> ReadToEndAsync(PipeReader reader)
    {
        using var bytes = new MemoryStream();
        await reader.CopyToAsync(bytes, TestContext.Current.CancellationToken);
        return bytes.ToArray();
    }

    private static async Task AssertFailsAsync(TunnelFailure failure, Func<Task> action) =>
        Assert.Equal(failure, (await Assert.ThrowsAsync<TunnelException>(action)).Reason);
}
