using System.IO.Pipelines;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>What a datagram costs the thread of a socket in memory.</summary>
public sealed class LoopAllocationTests(ITestOutputHelper output)
{
    // The smallest object has 24 bytes: one for every third datagram is too many. What is left are the wake-ups of
    // applications and the figures that are shown to them now and then. On a busy machine applications are woken more often, and a pool
    // grows once in a while, so the best of several rounds counts: an object for each datagram would be in all of them.
    private const double MaxBytesPerDatagram = 8;

    // So few bytes at a time that the buffers of the connection neither grow nor shrink.
    private const int Piece = 256 << 10;
    private const int Warmup = 100;
    private const int Rounds = 5;
    private const int PiecesPerRound = 40;

    [Fact]
    public async Task A_datagram_costs_neither_sender_nor_receiver_an_object()
    {
        await using Peers peers = await Peers.OpenAsync();
        (TunnelEndpoint source, MeteredSocket sending) = await OpenAsync(peers);
        (TunnelEndpoint target, MeteredSocket receiving) = await OpenAsync(peers);
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(source, target);
        (ITunnelStream from, ITunnelStream to) = await Peers.OpenStreamAsync(near, far);

        await TransferAsync(from.Output, to.Input, Warmup);
        (double best, double bestReceived) = (double.MaxValue, double.MaxValue);
        for (int round = 1; round <= Rounds; round++)
        {
            (long sent, long received, long before) = (sending.Allocated, receiving.Allocated, near.Statistics.DatagramsSent);
            await TransferAsync(from.Output, to.Input, PiecesPerRound);
            (sent, received) = (sending.Allocated - sent, receiving.Allocated - received);
            while (near.Statistics.PayloadSent < (Warmup + round * PiecesPerRound) * (long)Piece)
                await Task.Yield();

            double datagrams = near.Statistics.DatagramsSent - before;
            output.WriteLine($"{sent / datagrams:F1} bytes for each datagram sent, {received / datagrams:F1} for each received");
            (best, bestReceived) = (Math.Min(best, sent / datagrams), Math.Min(bestReceived, received / datagrams));
        }

        Assert.InRange(best, 0, MaxBytesPerDatagram);
        Assert.InRange(bestReceived, 0, MaxBytesPerDatagram);
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
