using P2PMigrate.Containers.Lazy;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A move whose private memory stays in the frozen source until the container runs here. Pages that it waits for are sent at once, the others when a test says so.</summary>
internal sealed class PostCopy : IAsyncDisposable
{
    private readonly Move _move;
    private readonly IContainerRuntime _runtime;
    private readonly IFence _fence;
    private readonly IRemainingMemory _remaining;
    private CancellationTokenSource _stop = new();
    private ILateMemory _late;
    private Task _serving;

    private PostCopy(Move move, IContainerRuntime runtime, IFence fence)
    {
        (_move, _runtime, _fence) = (move, runtime, fence);
        _remaining = fence.OpenRemaining() ?? throw new InvalidOperationException("The dump left nothing for later.");
        (_late, _serving) = Open();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>How many pages were asked for.</summary>
    public int Wanted { get; private set; }

    /// <summary>Freezes, dumps what cannot be late, copies, restores and lets run; the source stands still.</summary>
    public static async Task<PostCopy> RunAsync(Move move, IContainerRuntime runtime, Func<Task>? whileHeld = null)
    {
        PostCopy copy = await PrepareAsync(move, runtime);
        await using IHeldContainer held = await runtime.RestoreAsync(move.Request, Token);
        if (whileHeld is not null) await whileHeld();
        await held.ReleaseAsync(Token);
        return copy;
    }

    /// <summary>The same up to the restore.</summary>
    public static async Task<PostCopy> PrepareAsync(Move move, IContainerRuntime runtime)
    {
        IFence fence = await LateRestore.FreezeAndDumpAsync(move, held => move.DumpAsync(held, new PatientSink(Move.Runtime.CreatePageWriter(move.Request.ImageDirectory))), HasLeft);
        await move.CopyAsync();
        return new PostCopy(move, runtime, fence);
    }

    private static bool HasLeft(IFence fence)
    {
        using IRemainingMemory? left = fence.OpenRemaining();
        return left is not null;
    }

    /// <summary>All that is left follows.</summary>
    public Task DeliverAsync(TimeSpan? pause = null) => _remaining.DeliverAsync(new SlowSink(() => _late.Pages, pause ?? TimeSpan.Zero), Token);

    /// <summary>Whoever takes in pages ends, and another begins.</summary>
    public async Task ReopenAsync()
    {
        await StopServingAsync();
        await Task.Delay(100, Token);
        (_late, _serving) = Open();
    }

    public async Task StopServingAsync()
    {
        await _stop.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _late.DisposeAsync();
        _stop.Dispose();
        _stop = new CancellationTokenSource();
    }

    /// <summary>Waits until the container has all of it, and ends the source.</summary>
    public async Task CompleteAsync()
    {
        await _runtime.CompleteAsync(_move.Request, Token);
        await _fence.DestroyAsync(Token);
    }

    public Task ThawSourceAsync() => _fence.ThawAsync(Token);

    public async ValueTask DisposeAsync()
    {
        await StopServingAsync();
        _remaining.Dispose();
        await _fence.DestroyAsync(CancellationToken.None);
        await _fence.DisposeAsync();
        _stop.Dispose();
    }

    private (ILateMemory Late, Task Serving) Open()
    {
        ILateMemory late = _runtime.OpenLateMemory(_move.Request)!;
        return (late, Task.Run(() => ServeAsync(late, _stop.Token)));
    }

    private async Task ServeAsync(ILateMemory late, CancellationToken stop)
    {
        byte[] content = new byte[PageGiver.FaultPages * PageRun.PageSize];
        while (true)
        {
            WantedPage wanted = await late.WaitForWantedAsync(stop);
            Wanted++;
            int pages = _remaining.Read(wanted.Process, wanted.Address, wanted.Pages, content);
            late.Take(wanted.Process, wanted.Address, content.AsSpan(0, pages * PageRun.PageSize));
        }
    }

    /// <summary>The images without what can be late.</summary>
    private sealed class PatientSink(IPageSink inner) : IPageSink
    {
        public bool TakesLater => true;

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => inner.OpenAsync(space, cancellationToken);

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken) => inner.WriteAsync(run, pages, cancellationToken);

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => inner.CompleteAsync(cancellationToken);
    }

    /// <summary>A link that takes its time, to whoever takes in pages just then.</summary>
    private sealed class SlowSink(Func<IPageSink> inner, TimeSpan pause) : IPageSink
    {
        private PageSpace _space;

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
        {
            _space = space;
            return ValueTask.CompletedTask;
        }

        public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            if (pause > TimeSpan.Zero) await Task.Delay(pause, cancellationToken);
            await inner().OpenAsync(_space, cancellationToken);
            await inner().WriteAsync(run, pages, cancellationToken);
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => inner().CompleteAsync(cancellationToken);
    }
}
