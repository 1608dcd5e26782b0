using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>How the pipes between the application and the loop are made, and how much they hold.</summary>
internal static class StreamPipes
{
    /// <summary>Bytes that the application has not looked at in a stream's pipe; behind them the peer's credit runs out.</summary>
    // spec: CONST-50
    public const long InboundLimit = 1 << 20;

    /// <summary>Bytes that wait for the loop in a stream's pipe before a flush waits.</summary>
    // spec: CONST-51
    public const long OutboundLimit = 1 << 20;

    private const int SegmentSize = PipeBlocks.BlockSize;

    /// <summary>
    /// The loop writes, the application reads. The loop never waits: it counts what the application has not looked at and
    /// stops by itself at <see cref="InboundLimit"/>.
    /// </summary>
    public static Pipe CreateInbound() => new(new PipeOptions(
        PipeBlocks.Instance, pauseWriterThreshold: 0, minimumSegmentSize: SegmentSize, useSynchronizationContext: false));

    /// <summary>The application writes and waits at the limit; half of it must be gone before it is woken.</summary>
    public static Pipe CreateOutbound() => new(new PipeOptions(
        PipeBlocks.Instance, pauseWriterThreshold: OutboundLimit, resumeWriterThreshold: OutboundLimit / 2, minimumSegmentSize: SegmentSize,
        useSynchronizationContext: false));
}
