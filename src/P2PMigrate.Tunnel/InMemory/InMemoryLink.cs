using System.IO.Pipelines;
using Nerdbank.Streams;

namespace P2PMigrate.Tunnel.InMemory;

/// <summary>What joins the two ends: every stream between them, and the one end of both. Safe for use from several threads.</summary>
internal sealed class InMemoryLink
{
    /// <summary>Bytes that a direction holds before its writer waits.</summary>
    public const int Window = 1 << 20;

    /// <summary>Streams that a link ever carries; a test that needs more has a leak.</summary>
    public const int StreamLimit = 1 << 16;

    private static readonly PipeOptions s_pipeOptions = new(
        pauseWriterThreshold: Window, resumeWriterThreshold: Window / 2, minimumSegmentSize: 64 * 1024, useSynchronizationContext: false);

    private readonly Lock _lock = new();
    private readonly List<(InMemoryStream Opener, InMemoryStream Acceptor)> _streams = [];
    private TunnelException? _ended;

    /// <summary>Makes both ends of a stream; <paramref name="offer"/> gets the peer's end when the opener first writes.</summary>
    public InMemoryStream Open(StreamPriority priority, Action<InMemoryStream> offer)
    {
        lock (_lock)
        {
            if (_ended is not null)
                throw new TunnelException(_ended.Reason, _ended.Message, _ended);
            if (_streams.Count == StreamLimit)
                throw new InvalidOperationException("More streams than an in-memory link carries.");
            (IDuplexPipe near, IDuplexPipe far) = FullDuplexStream.CreatePipePair(s_pipeOptions);
            var acceptor = new InMemoryStream(far, priority, static () => { });
            var opener = new InMemoryStream(near, priority, () => offer(acceptor));
            _streams.Add((opener, acceptor));
            return opener;
        }
    }

    /// <summary>Ends every stream once; false when the link had already ended. With <paramref name="discard"/> bytes under way are lost.</summary>
    public bool TryEnd(TunnelException exception, bool discard)
    {
        lock (_lock)
        {
            if (_ended is not null)
                return false;
            _ended = exception;
        }

        // Writers first, on all streams: a reader that is woken may give up others, and their writers are to know why.
        foreach ((InMemoryStream opener, InMemoryStream acceptor) in _streams)
        {
            opener.EndOutput(exception);
            acceptor.EndOutput(exception);
        }

        foreach ((InMemoryStream opener, InMemoryStream acceptor) in _streams)
        {
            opener.EndInput(exception, discard, acceptor.IsFinished);
            acceptor.EndInput(exception, discard, opener.IsFinished);
        }

        return true;
    }
}
