using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Speed;

/// <summary>What a test found: what the receiver counted, and the CPU time that the processes of both ends used for it.</summary>
internal readonly record struct SpeedResult(SpeedCount Count, TimeSpan Cpu)
{
    /// <summary>Of the measured part, in 10^6 bits a second.</summary>
    public double MegabitsPerSecond => Count.Time > TimeSpan.Zero ? Count.Measured * 8 / Count.Time.TotalSeconds / 1e6 : 0;

    /// <summary>Of the whole test, in seconds for 10^9 bytes.</summary>
    public double CpuSecondsPerGigabyte => Count.Received > 0 ? Cpu.TotalSeconds / Count.Received * 1e9 : 0;
}

/// <summary>Both sides of a speed test over a session, which stays the caller's. Stateless.</summary>
internal static class SpeedTest
{
    /// <summary>How much longer than its duration a test may last.</summary>
    // spec: SPD-07
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The initiator's side. Throws <see cref="TunnelException"/> when the session ends early, or the peer takes longer than
    /// it may.
    /// </summary>
    // spec: SPD-07
    public static async Task<SpeedResult> RunAsync(ITunnelSession session, SpeedRequest request, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(request.Duration + s_patience);
        try
        {
            return await RunInTimeAsync(session, request, time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TunnelException(TunnelFailure.PeerUnreachable, "The peer did not end the speed test in time.", late);
        }
    }

    /// <summary>
    /// The responder's side; <paramref name="stream"/> is the session's first. False when the peer asked for what no test
    /// is. Throws <see cref="TunnelException"/> when the session ends early, <see cref="OperationCanceledException"/> when
    /// the test takes too long.
    /// </summary>
    // spec: SPD-01, SPD-03
    public static async Task<bool> ServeAsync(ITunnelSession session, ITunnelStream stream, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(s_patience);
        await using (stream)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            byte[] asked = await ReadAllAsync(stream.Input, SpeedRequest.Size, time.Token).ConfigureAwait(false);
            if (!SpeedRequest.TryParse(asked, out SpeedRequest request))
                return false;
            time.CancelAfter(request.Duration + s_patience);
            SpeedCount count = default;
            if (request.Direction == SpeedDirection.ToResponder)
                count = await SpeedFlow.ReceiveAsync(session, request, time.Token).ConfigureAwait(false);
            else
                await SpeedFlow.SendAsync(session, request, time.Token).ConfigureAwait(false);

            new SpeedReport(count, Environment.CpuUsage.TotalTime - before).Write(stream.Output.GetSpan(SpeedReport.Size));
            stream.Output.Advance(SpeedReport.Size);
            await stream.Output.FlushAsync(time.Token).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);
            return true;
        }
    }

    private static async Task<SpeedResult> RunInTimeAsync(ITunnelSession session, SpeedRequest request, CancellationToken cancellationToken)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        await using ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Urgent, cancellationToken).ConfigureAwait(false);
        request.Write(stream.Output.GetSpan(SpeedRequest.Size));
        stream.Output.Advance(SpeedRequest.Size);
        await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await stream.Output.CompleteAsync().ConfigureAwait(false);

        bool isSender = request.Direction == SpeedDirection.ToResponder;
        SpeedCount own = default;
        if (isSender)
            await SpeedFlow.SendAsync(session, request, cancellationToken).ConfigureAwait(false);
        else
            own = await SpeedFlow.ReceiveAsync(session, request, cancellationToken).ConfigureAwait(false);

        byte[] answer = await ReadAllAsync(stream.Input, SpeedReport.Size, cancellationToken).ConfigureAwait(false);
        if (!SpeedReport.TryParse(answer, out SpeedReport report))
            throw new TunnelException(TunnelFailure.Protocol, "The peer reported something about the speed test that cannot be.");
        return new SpeedResult(isSender ? report.Count : own, report.Cpu + Environment.CpuUsage.TotalTime - before);
    }

    /// <summary>Everything up to the end of the direction; cut off, and thereby wrong, when it is longer than <paramref name="length"/>.</summary>
    private static async Task<byte[]> ReadAllAsync(PipeReader input, int length, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCompleted || read.Buffer.Length > length)
            {
                byte[] bytes = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, length + 1)).ToArray();
                input.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
