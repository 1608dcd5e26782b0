using System.IO.Pipelines;

namespace P2PMigrate.Tunnel;

/// <summary>
/// An ordered, reliable sequence of bytes in both directions. Completing <see cref="IDuplexPipe.Output"/> without an
/// exception ends this direction after all its bytes (half-close); with an exception it resets it. Completing
/// <see cref="IDuplexPipe.Input"/> early tells the peer to stop sending. The peer gets the <see cref="TunnelException.Code"/> of
/// a <see cref="TunnelException"/> given to either completion, else 0. Reads and writes throw <see cref="TunnelException"/> when
/// the session ended or the peer reset the stream, with the peer's code.
/// Disposing completes both directions; an output that was not completed before is reset, so that half-written bytes never
/// look whole. When the session ends, what had arrived stays readable, then reads throw.
/// Backpressure: <c>FlushAsync</c> waits while the peer's window and the local send buffer are full.
/// </summary>
public interface ITunnelStream : IDuplexPipe, IAsyncDisposable
{
    /// <summary>The class chosen by whoever opened the stream.</summary>
    StreamPriority Priority { get; }

    /// <summary>The largest <see cref="Weight"/>.</summary>
    const int MaxWeight = 16;

    /// <summary>
    /// Our direction's share among the streams of its class that have something to send: 1 at first, up to
    /// <see cref="MaxWeight"/>. The peer is not told.
    /// </summary>
    int Weight { get; set; }
}
