using System.Diagnostics;
using System.IO.Pipelines;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Speed;

/// <summary>The bytes of a speed test: writes them on its streams for as long as asked, or reads and counts them. Stateless.</summary>
internal static class SpeedFlow
{
    /// <summary>Written between two looks at the clock.</summary>
    private const int Piece = 128 << 10;

    /// <summary>With a rate, what one piece may be worth of time: the smaller, the smoother.</summary>
    private static readonly TimeSpan s_pacedPiece = TimeSpan.FromMilliseconds(2);

    /// <summary>Opens the streams, writes on all of them and ends them. Returns how many bytes.</summary>
    public static async Task<long> SendAsync(ITunnelSession session, SpeedRequest request, CancellationToken cancellationToken)
    {
        long[] sent = await Task.WhenAll(Enumerable.Range(0, request.Streams).Select(_ => SendOneAsync(session, request, cancellationToken))).ConfigureAwait(false);
        return sent.Sum();
    }

    /// <summary>Accepts the streams and reads them to their ends.</summary>
    // spec: SPD-05
    public static async Task<SpeedCount> ReceiveAsync(ITunnelSession session, SpeedRequest request, CancellationToken cancellationToken)
    {
        var meter = new SpeedMeter(request.Skip);
        var reading = new List<Task>();
        for (int i = 0; i < request.Streams; i++)
        {
            ITunnelStream stream = await session.AcceptStreamAsync(cancellationToken).ConfigureAwait(false);
            reading.Add(ReadOneAsync(stream, meter, cancellationToken));
        }

        await Task.WhenAll(reading).ConfigureAwait(false);
        return meter.Result;
    }

    private static async Task<long> SendOneAsync(ITunnelSession session, SpeedRequest request, CancellationToken cancellationToken)
    {
        await using ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk, cancellationToken).ConfigureAwait(false);
        double bytesPerSecond = (double)request.BytesPerSecond / request.Streams;
        int piece = bytesPerSecond == 0 ? Piece : (int)Math.Clamp(bytesPerSecond * s_pacedPiece.TotalSeconds, 1, Piece);
        long start = Stopwatch.GetTimestamp(), sent = 0;
        while (Stopwatch.GetElapsedTime(start) < request.Duration)
        {
            WriteZeros(stream.Output, piece);
            await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            sent += piece;
            if (bytesPerSecond > 0)
                await KeepPaceAsync(TimeSpan.FromSeconds(sent / bytesPerSecond) - Stopwatch.GetElapsedTime(start), cancellationToken).ConfigureAwait(false);
        }

        await stream.Output.CompleteAsync().ConfigureAwait(false);
        return sent;
    }

    /// <summary>Zeros: nothing that was in memory before leaves it. Written where they are sent from.</summary>
    // spec: SPD-04
    private static void WriteZeros(PipeWriter output, int count)
    {
        while (count > 0)
        {
            Span<byte> space = output.GetSpan();
            space = space[..Math.Min(count, space.Length)];
            space.Clear();
            output.Advance(space.Length);
            count -= space.Length;
        }
    }

    /// <summary>Timers tick in milliseconds: what is too early by less is made up for by the next pieces.</summary>
    private static Task KeepPaceAsync(TimeSpan early, CancellationToken cancellationToken) =>
        early >= TimeSpan.FromMilliseconds(1) ? Task.Delay(early, cancellationToken) : Task.CompletedTask;

    private static async Task ReadOneAsync(ITunnelStream stream, SpeedMeter meter, CancellationToken cancellationToken)
    {
        await using (stream)
        {
            while (true)
            {
                ReadResult read = await stream.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
                meter.Count(read.Buffer.Length);
                stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
    }
}
