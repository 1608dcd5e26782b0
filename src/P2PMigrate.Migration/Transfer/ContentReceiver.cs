using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in the bulk streams of one job, several at a time, and says when a kind of content is complete. A stream that fails is held open until the
/// job stops, so that the reason, which travels on the control stream, arrives before the reset; one of memory that comes late for a moment only, for the job may not stop for it.
/// </summary>
internal sealed class ContentReceiver : IAsyncDisposable
{
    /// <summary>Streams at a time; a source needs two.</summary>
    public const int StreamsMax = 4;

    private static readonly TimeSpan s_peersWord = new MigrationTimers().PeersWord;

    private readonly ITunnelSession _session;
    private readonly JobId _job;
    private readonly RootfsReceiver _rootfs;
    private readonly IPageSink _writer;
    private readonly KeptPages _kept;
    private readonly LiveMemoryReceiver _live;
    private readonly PageReceiver _pages;
    private readonly ImageReceiver _images;
    private readonly Action<StoredContent> _stored;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _room = new(StreamsMax);
    private readonly TaskCompletionSource<ILateMemory?> _late = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TransferMeter _meter;
    private readonly long _memoryBytes;
    private int _begun;                  // flags of ContentKind that may come only once
    private Task _receiving = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>Memory goes to <paramref name="writer"/>, which is disposed of with this if it can be; the rest to the directories that follow from the proposal.</summary>
    public ContentReceiver(
        ITunnelSession session, Propose proposal, StateDirectory state, IPageSink writer, IChunkStore store, ILogger logger, TransferMeter meter, bool mayLeave, Action<StoredContent> stored)
    {
        (_session, _job, _stored, _meter, _memoryBytes) = (session, proposal.JobId, stored, meter, proposal.Container.MemoryBytes);
        _rootfs = new RootfsReceiver(state.Rootfs(proposal.Name), store, new ContentBudget(proposal.RootfsBytes), logger, meter);
        _writer = writer;
        _kept = new KeptPages(state.Job(proposal.JobId), proposal.Container.MemoryBytes);
        _live = new LiveMemoryReceiver(_kept, meter);
        _pages = new PageReceiver(writer, _kept, new ContentBudget(proposal.Container.MemoryBytes), meter, mayLeave);
        _images = new ImageReceiver(state.Images(proposal.JobId), meter);
    }

    /// <summary>How long the final round took to apply.</summary>
    public TimeSpan FinalApply => _rootfs.FinalApply;

    /// <summary>All content but what was left for later is here: that goes to <paramref name="late"/>, which stays its owner's; null when nothing was left.</summary>
    public void Await(ILateMemory? late) => _late.TrySetResult(late);

    /// <summary>Takes in streams until <paramref name="stop"/> or the end of the session. <paramref name="failed"/> gets whatever goes wrong.</summary>
    public void Start(Action<Exception> failed, CancellationToken stop)
    {
        stop.Register(_stop.Cancel);
        _receiving = ReceiveAllAsync(failed, _stop.Token);
    }

    /// <summary>Returns when the root file system is on the disk.</summary>
    public void Flush() => _rootfs.Flush();

    /// <summary>Stops, and returns when nothing is written any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        _late.TrySetCanceled();
        await _receiving.ConfigureAwait(false);
        _rootfs.Dispose();
        _kept.Dispose();
        if (_writer is IAsyncDisposable disposable)
            await disposable.DisposeAsync().ConfigureAwait(false);
        _room.Dispose();
        _stop.Dispose();
    }

    private async Task ReceiveAllAsync(Action<Exception> failed, CancellationToken stop)
    {
        var streams = new List<Task>();
        try
        {
            while (true)
            {
                await _room.WaitAsync(stop).ConfigureAwait(false);
                ITunnelStream stream = await _session.AcceptStreamAsync(stop).ConfigureAwait(false);
                streams.RemoveAll(task => task.IsCompleted);
                streams.Add(Task.Run(() => ReceiveOneAsync(stream, failed, stop), CancellationToken.None));
            }
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // The session has ended, or the job has; the machine knows.
        }

        await Task.WhenAll(streams).ConfigureAwait(false);
    }

    private async Task ReceiveOneAsync(ITunnelStream stream, Action<Exception> failed, CancellationToken stop)
    {
        await using (stream.ConfigureAwait(false))
        {
            StreamHeader header = default;
            try
            {
                header = await StreamHeader.ReadAsync(stream.Input, stop).ConfigureAwait(false);
                PeerFault.Require(header.JobId == _job, "opened a stream for another job");
                await ReceiveContentAsync(stream, header, stop).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failed(exception);
                TimeSpan held = header.Kind is ContentKind.LateMemory or ContentKind.WantedMemory ? s_peersWord : Timeout.InfiniteTimeSpan; // spec: MIG-103
                await Task.Delay(held, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                _room.Release();
            }
        }
    }

    private async Task ReceiveContentAsync(ITunnelStream stream, StreamHeader header, CancellationToken stop)
    {
        (long bytes, StoredContent content) = header.Kind switch
        {
            ContentKind.Rootfs => await ReceiveRoundAsync(stream, header, stop).ConfigureAwait(false),
            ContentKind.LiveMemory => (await _live.ReceiveRoundAsync(stream.Input, header, stop).ConfigureAwait(false), StoredContent.None),
            ContentKind.LateMemory => (await ReceiveLateAsync(stream, header, stop).ConfigureAwait(false), StoredContent.None),
            ContentKind.WantedMemory => (await ReceiveWantedAsync(stream, header, stop).ConfigureAwait(false), StoredContent.None),
            ContentKind.Memory => (await _pages.ReceiveAsync(Once(stream, header), header, stop).ConfigureAwait(false), StoredContent.Memory),
            _ => (await _images.ReceiveAsync(Once(stream, header), stop).ConfigureAwait(false), StoredContent.Images),
        };
        _stored(content);
        await new StreamReceipt(bytes).WriteAsync(stream.Output, stop).ConfigureAwait(false);
    }

    // spec: MIG-103
    private async Task<long> ReceiveLateAsync(ITunnelStream stream, StreamHeader header, CancellationToken stop)
    {
        PipeReader input = Once(stream, header);
        ILateMemory late = await LateAsync(stop).ConfigureAwait(false);
        await LackingPages.WriteAsync(stream.Output, late, stop).ConfigureAwait(false);
        return await new PageReceiver(late.Pages, _kept, new ContentBudget(_memoryBytes), _meter).ReceiveAsync(input, header, stop).ConfigureAwait(false);
    }

    // spec: MIG-102
    private async Task<long> ReceiveWantedAsync(ITunnelStream stream, StreamHeader header, CancellationToken stop)
    {
        _ = Once(stream, header);
        await WantedPages.AskAsync(stream, await LateAsync(stop).ConfigureAwait(false), _meter, stop).ConfigureAwait(false);
        return 0;
    }

    private async Task<ILateMemory> LateAsync(CancellationToken stop) =>
        await _late.Task.WaitAsync(stop).ConfigureAwait(false) ?? throw PeerFault.Of("sent memory late of which nothing had been left");

    private async Task<(long Bytes, StoredContent Content)> ReceiveRoundAsync(ITunnelStream stream, StreamHeader header, CancellationToken stop)
    {
        long bytes = await _rootfs.ReceiveRoundAsync(stream, header, stop).ConfigureAwait(false);
        return (bytes, header.IsFinal ? StoredContent.FinalRound : StoredContent.None);
    }

    private PipeReader Once(ITunnelStream stream, StreamHeader header)
    {
        int flag = 1 << (int)header.Kind;
        PeerFault.Require((Interlocked.Or(ref _begun, flag) & flag) == 0, $"sent {header.Kind} twice");
        return stream.Input;
    }
}
