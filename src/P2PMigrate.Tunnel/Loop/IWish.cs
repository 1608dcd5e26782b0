using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Loop;

/// <summary>Something that another thread wants done on the loop's thread. Exactly one of its methods is called, once per post.</summary>
internal interface IWish
{
    /// <summary>Does it. Runs on the loop's thread; must not block.</summary>
    void Fulfil(Instant now);

    /// <summary>The loop has ended: it will not happen. Any thread.</summary>
    void Refuse();
}

/// <summary>A wish with a result that somebody waits for.</summary>
internal sealed class LoopCall<T>(Func<Instant, T> work) : IWish
{
    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the work returned or threw.</summary>
    public Task<T> Result => _result.Task;

    /// <inheritdoc/>
    public void Fulfil(Instant now)
    {
        try
        {
            _result.SetResult(work(now));
        }
        catch (TunnelException refused)
        {
            _result.SetException(refused);
        }
        catch (Exception fault)
        {
            // A fault of ours ends the loop, and whoever waits for this learns it first.
            _result.SetException(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint failed.", fault));
            throw;
        }
    }

    /// <inheritdoc/>
    public void Refuse() => _result.SetException(new TunnelException(TunnelFailure.Closed, "The tunnel endpoint was disposed."));
}
