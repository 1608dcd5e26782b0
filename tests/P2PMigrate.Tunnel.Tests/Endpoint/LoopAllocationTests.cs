using System.IO.Pipelines;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>What a datagram costs the thread of a socket in memory.</summary>
public sealed class LoopAllocationTests(ITestOutputHelper output)
{
    // The smallest object has 24 bytes: one for every third datagram is too many. What is left are the wake-ups of
    // applications and the figures that are shown to them now and then.
    private const double MaxBytesPerDatagram = 8;

    // So few bytes at a time that the buffers of the connection neither grow nor shrink.
    private const int Piece = 256 << 10;
    private const int Warmup = 100;
    private const int Pieces = 200;

    [Fact]
    public async Task A_datagram_costs_neither_sender_nor_receiver_an_object()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelEndpoint source, MeteredSocket sending) = await OpenAsync(peers);
        (TunnelEndpoint target, MeteredSocket receiving) = await OpenAsync(peers);
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(source, target);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        await TransferAsync(from.Output, to.Input, Warmup);
        (long sent, long received) = (sending.Allocated, receiving.Allocated);
        long before = near.Statistics.DatagramsSent;
        await TransferAsync(from.Output, to.Input, Pieces);
        (sent, received) = (sending.Allocated - sent, receiving.Allocated - received);
        while (near.Statistics.PayloadSent < (Warmup + Pieces) * (long)Piece)
            await Task.Yield();

        double datagrams = near.Statistics.DatagramsSent - before;
        output.WriteLine($"{sent / datagrams:F1} bytes for each datagram sent, {received / datagrams:F1} for each received");
        Assert.InRange(sent / datagrams, 0, MaxBytesPerDatagram);
        Assert.InRange(received / datagrams, 0, MaxBytesPerDatagram);
    }

    private static async Task<(TunnelEndpoint Endpoint, MeteredSocket Socket)> OpenAsync(Peers peers)
    {
        MeteredSocket? socket = null;
        TunnelEndpoint endpoint = await peers.OpenOneAsync(listen => socket = new MeteredSocket(DatagramSocket.Open(listen)));
        return (endpoint, socket!);
    }

    private static async Task TransferAsync(PipeWriter writer, PipeReader reader, int pieces)
    {
        for (; pieces > 0; pieces--)
        {
            await writer.WriteAsync(new byte[Piece], Peers.Token);
            for (long left = Piece; left > 0;)
            {
                ReadResult read = await reader.ReadAsync(Peers.Token);
                left -= read.Buffer.Length;
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }
}
