using System.Buffers.Binary;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Application datagrams of a session, over loopback and in memory.</summary>
public sealed class DatagramTests
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly byte[] _buffer = new byte[9_000];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_datagram_arrives_whole(bool isInMemory)
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory);
        byte[] sent = [.. Enumerable.Range(0, pair.Near.Datagrams.MaxSize).Select(i => (byte)i)];
        Assert.InRange(sent.Length, 900, 9_000);

        Assert.True(pair.Near.Datagrams.TrySend(sent));
        int length = await pair.Far.Datagrams.ReceiveAsync(_buffer, _token);
        Assert.Equal(sent, _buffer[..length]);

        Assert.True(pair.Far.Datagrams.TrySend([]));
        Assert.Equal(0, await pair.Near.Datagrams.ReceiveAsync(_buffer, _token));
        Assert.False(pair.Near.Datagrams.TrySend(new byte[1 << 16])); // Whatever the path was found to carry meanwhile.
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_the_end_what_had_arrived_is_there_and_then_the_reason(bool isInMemory)
    {
        await using Pair pair = await Pair.OpenAsync(isInMemory);
        Assert.True(pair.Near.Datagrams.TrySend([1, 2, 3]));
        Assert.True(pair.Near.Datagrams.TrySend([4]));
        Assert.Equal(3, await pair.Far.Datagrams.ReceiveAsync(_buffer, _token));
        Assert.Equal(1, await pair.Far.Datagrams.ReceiveAsync(_buffer, _token));

        await pair.Near.CloseAsync(0, "done", _token);
        await pair.Far.Completion;

        TunnelException end = await Assert.ThrowsAsync<TunnelException>(async () => await pair.Far.Datagrams.ReceiveAsync(_buffer, _token));
        Assert.Equal(TunnelFailure.Closed, end.Reason);
        Assert.False(pair.Near.Datagrams.TrySend([1]));
    }

    // spec: STR-52, STR-53
    [Fact]
    public async Task A_sender_never_waits_and_every_datagram_is_accounted_for()
    {
        const int Count = 20_000;
        await using Pair pair = await Pair.OpenAsync(isInMemory: false);
        byte[] datagram = new byte[900];
        for (int i = 0; i < Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(datagram, i);
            Assert.True(pair.Near.Datagrams.TrySend(datagram));
        }

        // The last one gives way to none: it arrives unless the socket lost it.
        int last = -1;
        while (last < Count - 1 && pair.Near.Datagrams.Statistics is var sent && sent.Sent + sent.DroppedBeforeSending < Count)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
            patience.CancelAfter(TimeSpan.FromSeconds(1));
            try
            {
                await pair.Far.Datagrams.ReceiveAsync(_buffer, patience.Token);
                int number = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
                Assert.InRange(number, last + 1, Count - 1);
                last = number;
            }
            catch (OperationCanceledException)
            {
                _token.ThrowIfCancellationRequested();
            }
        }

        Assert.InRange(pair.Far.Datagrams.Statistics.Received, 1, Count);
    }
}
