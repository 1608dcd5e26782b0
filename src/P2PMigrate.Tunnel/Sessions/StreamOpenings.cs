using System.Numerics;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>
/// Wishes to open a stream, in order for each class; those over the peer's limit wait until it is raised. Loop only.
/// </summary>
internal sealed class StreamOpenings(TunnelConnection connection, Func<StreamId, TunnelStream> create)
{
    private readonly Queue<StreamOpening>[] _waiting = [new(), new(), new()];
    private TunnelException? _failure;

    /// <summary>Opens now, or keeps the wish.</summary>
    public void Add(StreamOpening opening)
    {
        if (_failure is not null)
            opening.Fail(_failure);
        else if (!TryOpen(opening))
            Keep(_waiting[(int)opening.Class], opening);
    }

    /// <summary>The peer raised its limit.</summary>
    public void Retry(StreamClass streamClass)
    {
        Queue<StreamOpening> waiting = _waiting[(int)streamClass];
        while (waiting.TryPeek(out StreamOpening? opening) && TryOpen(opening))
            waiting.Dequeue();
    }

    /// <summary>The session ended.</summary>
    public void FailAll(TunnelException exception)
    {
        _failure = exception;
        foreach (Queue<StreamOpening> waiting in _waiting)
        {
            while (waiting.TryDequeue(out StreamOpening? opening))
                opening.Fail(exception);
        }
    }

    // Callers that gave up must not pile up behind one that waits. Looking whenever the number has doubled costs each a constant.
    private static void Keep(Queue<StreamOpening> waiting, StreamOpening opening)
    {
        waiting.Enqueue(opening);
        if (!BitOperations.IsPow2(waiting.Count))
            return;
        for (int left = waiting.Count; left > 0; left--)
        {
            StreamOpening oldest = waiting.Dequeue();
            if (!oldest.Result.IsCompleted)
                waiting.Enqueue(oldest);
        }
    }

    private bool TryOpen(StreamOpening opening)
    {
        if (opening.Result.IsCompleted)
            return true;
        if (!connection.TryOpenStream(opening.Class, out StreamId id))
            return false;
        opening.Succeed(create(id));
        return true;
    }
}

/// <summary>One caller's wish for a stream, and what became of it.</summary>
internal sealed class StreamOpening(StreamOpenings openings, StreamClass streamClass) : IWish
{
    private readonly TaskCompletionSource<TunnelStream> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The class asked for.</summary>
    public StreamClass Class => streamClass;

    /// <summary>The stream, once it is open.</summary>
    public Task<TunnelStream> Result => _result.Task;

    /// <summary>From any thread: the caller does not wait any more.</summary>
    public void Cancel() => _result.TrySetCanceled();

    /// <summary>Loop only. A stream that nobody waits for any more is given up again.</summary>
    public void Succeed(TunnelStream stream)
    {
        if (!_result.TrySetResult(stream))
            stream.Abandon();
    }

    /// <summary>Loop only.</summary>
    public void Fail(TunnelException exception) =>
        _result.TrySetException(new TunnelException(exception.Reason, exception.Message, exception));

    /// <inheritdoc/>
    void IWish.Fulfil(Instant now) => openings.Add(this);

    /// <inheritdoc/>
    void IWish.Refuse() => Fail(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
}
