using System.IO.Pipelines;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel.InMemory;

/// <summary>One end of a stream between two <see cref="InMemorySession"/>s; behaves as <see cref="ITunnelStream"/> promises.</summary>
internal sealed class InMemoryStream : ITunnelStream, IReaderObserver
{
    private readonly EndAwareReader _input;
    private readonly InMemoryWriter _output;

    /// <summary><paramref name="announce"/> runs once, when the first byte or the end is written: then the peer sees the stream.</summary>
    public InMemoryStream(IDuplexPipe pipe, StreamPriority priority, Action announce)
    {
        Priority = priority;
        _input = new EndAwareReader(pipe.Input, this);
        _output = new InMemoryWriter(pipe.Output, announce);
    }

    /// <inheritdoc/>
    public StreamPriority Priority { get; }

    /// <inheritdoc/>
    public PipeReader Input => _input;

    /// <inheritdoc/>
    public PipeWriter Output => _output;

    /// <inheritdoc/>
    public int Weight { get; set => field = StreamWeight.Checked(value); } = 1;

    /// <summary>The session ended: writing throws.</summary>
    public void EndOutput(TunnelException exception) => _output.EndWith(exception);

    /// <summary>The session ended: reading throws, but what the peer finished stays readable to its end.</summary>
    public void EndInput(TunnelException exception, bool discard, bool peerFinished)
    {
        if (!peerFinished)
            _input.EndWith(exception, discard);
    }

    /// <summary>Has the application ended its direction without an exception?</summary>
    public bool IsFinished => _output.IsFinished;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _output.Complete(new OperationCanceledException("the stream was disposed before its output was completed"));
        _input.Complete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    void IReaderObserver.Examined(long bytes)
    {
    }

    /// <inheritdoc/>
    void IReaderObserver.ReaderCompleted(PipeReader inner, bool reachedEnd, ulong code) =>
        inner.Complete(reachedEnd ? null : new TunnelException("The peer stopped reading this stream.", code));
}
