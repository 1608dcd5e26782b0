using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using Nerdbank.Streams;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Streams of real sessions over loopback.</summary>
public sealed class StreamTests(ITestOutputHelper output)
{
    // More than all buffers between two applications hold.
    private const int TooMuch = 64 << 20;

    private static readonly byte[] s_hello = [1, 2, 3, 4, 5];
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_carries_bytes_both_ways_and_each_direction_ends_by_itself()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();

        ITunnelStream opened = await near.OpenStreamAsync(StreamPriority.Urgent, _token);
        await opened.Output.WriteAsync(s_hello, _token);
        await opened.Output.CompleteAsync();
        ITunnelStream accepted = await far.AcceptStreamAsync(_token);

        Assert.Equal(StreamPriority.Urgent, accepted.Priority);
        Assert.Equal(s_hello, await ReadToEndAsync(accepted.Input));
        await accepted.Output.WriteAsync(s_hello, _token);
        await accepted.Output.CompleteAsync();
        Assert.Equal(s_hello, await ReadToEndAsync(opened.Input));
    }

    [Fact]
    public async Task Two_hundred_megabytes_arrive_once_and_in_order()
    {
        const long Length = 200_000_000;
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        long begun = Stopwatch.GetTimestamp();
        Task<long> checking = CheckPatternAsync(to.Input);
        await WritePatternAsync(from.Output, Length);
        await from.Output.CompleteAsync();
        Assert.Equal(Length, await checking);
        TimeSpan took = Stopwatch.GetElapsedTime(begun);

        output.WriteLine($"{Length / took.TotalSeconds / 1e6:F0} MB/s over loopback, one stream, {near.Statistics}");
    }

    // spec: STR-27
    [Fact]
    public async Task What_is_sent_again_is_what_was_written_though_the_writer_has_gone_on()
    {
        const long Length = 20_000_000;
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        int trains = 0;
        peers.FirewallOf(peers.Source).Passes = _ => ++trains % 37 != 0;

        Task<long> checking = CheckPatternAsync(to.Input);
        await WritePatternAsync(from.Output, Length);
        await from.Output.CompleteAsync();
        Assert.Equal(Length, await checking);
        for (int looks = 0; looks < 1000 && near.Statistics.PacketsLost == 0; looks++)
            await Task.Delay(10, _token); // Statistics follow after a tenth of a second.
        Assert.NotEqual(0, near.Statistics.PacketsLost);
    }

    [Fact]
    public async Task A_reader_that_looks_at_everything_and_takes_nothing_gets_more_than_the_pipe_holds()
    {
        const int Length = 3 << 20;
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        Task writing = from.Output.WriteAsync(new byte[Length], _token).AsTask();
        ReadResult read = await to.Input.ReadAtLeastAsync(Length, _token).AsTask().WaitAsync(TimeSpan.FromSeconds(20), _token);

        Assert.True(read.Buffer.Length >= Length);
        to.Input.AdvanceTo(read.Buffer.End);
        await writing;
    }

    [Fact]
    public async Task A_reset_reaches_the_reader_as_an_exception()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        await from.Output.CompleteAsync(new InvalidOperationException("the source gave up"));

        await AssertFailsAsync(TunnelFailure.StreamReset, async () => await to.Input.ReadAsync(_token));
    }

    [Fact]
    public async Task A_reader_that_leaves_makes_the_writer_fail()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        await to.Input.CompleteAsync();

        await AssertFailsAsync(TunnelFailure.StreamReset, async () =>
        {
            while (true)
                await from.Output.WriteAsync(new byte[1000], _token);
        });
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stops_the_writer_and_costs_bounded_memory()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);
        (ITunnelStream control, ITunnelStream controlEnd) = await Peers.OpenStreamAsync(near, far, StreamPriority.Control);

        ValueTask<FlushResult> writing = from.Output.WriteAsync(new byte[TooMuch], _token);
        for (int i = 0; i < 50 || near.Statistics.PayloadSent == 0 || far.Statistics.PayloadReceived == 0; i++)
            await EchoAsync(control, controlEnd);

        Assert.False(writing.IsCompleted);
        Assert.InRange(near.Statistics.PayloadSent, 1, 16 << 20);
        Assert.InRange(far.Statistics.PayloadReceived, 1, 2 << 20);

        // The application's progress alone starts the writer again.
        Task<long> reading = CountAsync(to.Input);
        await writing;
        await from.Output.CompleteAsync();
        Assert.Equal(TooMuch, await reading);
    }

    [Fact]
    public async Task A_control_stream_is_not_behind_bulk()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream bulk, ITunnelStream bulkEnd) = await Peers.OpenStreamAsync(near, far);
        (ITunnelStream control, ITunnelStream controlEnd) = await Peers.OpenStreamAsync(near, far, StreamPriority.Control);
        ValueTask<FlushResult> writing = bulk.Output.WriteAsync(new byte[TooMuch], _token);

        await EchoAsync(control, controlEnd);

        Assert.False(writing.IsCompleted);
        await bulkEnd.DisposeAsync();
        await AssertFailsAsync(TunnelFailure.StreamReset, async () => await writing);
    }

    [Fact]
    public async Task A_tunnel_stream_serves_code_that_wants_a_plain_stream()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far, StreamPriority.Control);

        await using (Stream writing = from.AsStream())
        {
            await writing.WriteAsync(s_hello, _token);
            await writing.FlushAsync(_token);
        }

        await using Stream reading = to.AsStream();
        byte[] received = new byte[s_hello.Length];
        await reading.ReadExactlyAsync(received, _token);
        Assert.Equal(s_hello, received);
        Assert.Equal(0, await reading.ReadAsync(received, _token));
    }

    [Fact]
    public async Task Many_streams_at_once_do_not_mix()
    {
        const int Count = 40;
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();

        Task<long>[] receiving = [.. Enumerable.Range(0, Count).Select(_ => Task.Run(async () =>
        {
            ITunnelStream stream = await far.AcceptStreamAsync(_token);
            return await CheckPatternAsync(stream.Input);
        }, _token))];
        await Task.WhenAll(Enumerable.Range(0, Count).Select(async i =>
        {
            ITunnelStream stream = await near.OpenStreamAsync((StreamPriority)(i % 3), _token);
            await WritePatternAsync(stream.Output, 8 * (10_000 + i));
            await stream.Output.CompleteAsync();
        }));

        Assert.Equal(Enumerable.Range(0, Count).Select(i => 8L * (10_000 + i)), (await Task.WhenAll(receiving)).Order());
    }

    [Fact]
    public async Task More_streams_than_the_peer_allows_wait_for_their_turn()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        for (int i = 0; i < 300; i++)
        {
            await using ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, _token);
            await stream.Output.WriteAsync(s_hello, _token);
            await stream.Output.CompleteAsync();
            await using ITunnelStream accepted = await far.AcceptStreamAsync(_token);
            Assert.Equal(s_hello, await ReadToEndAsync(accepted.Input));
            await accepted.Output.CompleteAsync();
            Assert.Empty(await ReadToEndAsync(stream.Input));
        }
    }

    private async Task WritePatternAsync(PipeWriter writer, long length)
    {
        for (long at = 0; at < length;)
        {
            Memory<byte> memory = writer.GetMemory(64 * 1024);
            int count = (int)Math.Min(memory.Length / 8 * 8, length - at);
            for (int i = 0; i < count; i += 8)
                BinaryPrimitives.WriteInt64LittleEndian(memory.Span[i..], at + i);
            writer.Advance(count);
            at += count;
            await writer.FlushAsync(_token);
        }
    }

    private async Task<long> CheckPatternAsync(PipeReader reader)
    {
        for (long at = 0; ;)
        {
            ReadResult result = await reader.ReadAsync(_token);
            ReadOnlySequence<byte> rest = result.Buffer.Slice(0, result.Buffer.Length / 8 * 8);
            SequencePosition consumed = rest.End;
            at = CheckPattern(rest, at);
            reader.AdvanceTo(consumed, result.Buffer.End);
            if (result.IsCompleted)
                return at;
        }
    }

    private static long CheckPattern(in ReadOnlySequence<byte> bytes, long at)
    {
        var reader = new SequenceReader<byte>(bytes);
        while (reader.TryReadLittleEndian(out long value))
        {
            if (value != at)
                Assert.Fail($"At {at} stands {value}.");
            at += 8;
        }

        return at;
    }

    private async Task EchoAsync(ITunnelStream near, ITunnelStream far)
    {
        await near.Output.WriteAsync(s_hello, _token);
        ReadResult there = await far.Input.ReadAtLeastAsync(s_hello.Length, _token);
        far.Input.AdvanceTo(there.Buffer.End);
        await far.Output.WriteAsync(s_hello, _token);
        ReadResult back = await near.Input.ReadAtLeastAsync(s_hello.Length, _token);
        Assert.Equal(s_hello, back.Buffer.ToArray());
        near.Input.AdvanceTo(back.Buffer.End);
    }

    private async Task<long> CountAsync(PipeReader reader)
    {
        for (long count = 0; ;)
        {
            ReadResult result = await reader.ReadAsync(_token);
            count += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return count;
        }
    }

    private async Task<byte[]> ReadToEndAsync(PipeReader reader)
    {
        using var bytes = new MemoryStream();
        await reader.CopyToAsync(bytes, _token);
        return bytes.ToArray();
    }

    private static async Task AssertFailsAsync(TunnelFailure failure, Func<Task> action) =>
        Assert.Equal(failure, (await Assert.ThrowsAsync<TunnelException>(action)).Reason);
}
