using System.Threading.Channels;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Sends the memory of a running container ahead of the freeze, round by round: one thread reads and names pages, another
/// compresses and sends those that the target lacks. One round at a time. Owns the memory's reader, not key and book.
/// </summary>
// spec: MIG-80
internal sealed class LiveMemorySender(
    ITunnelSession session, JobId job, ILiveMemory memory, PageKey key, PageBook book, TransferMeter meter, TimeProvider time) : IDisposable
{
    /// <summary>How long a job that ends waits for the thread that reads.</summary>
    public static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(3);

    private const int BatchesWaiting = 16;

    private readonly PageHistory _history = new();
    private long? _previousPass;
    private bool _isAbandoned;

    /// <summary>Sends one round and returns what it was like once the target keeps its pages.</summary>
    public async Task<MemoryRound> SendRoundAsync(int round, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        var header = new StreamHeader(job, ContentKind.LiveMemory, round, PageKey: key.Export());
        ITunnelStream stream = await header.OpenAsync(session, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var pass = new LiveMemoryPass(key.Export(), book, _history, BatchesWaiting);
            Task reading = RunOnItsOwnThread(() => pass.Run(memory, stop.Token));
            long wire;
            try
            {
                wire = await SendAsync(stream, pass.Batches, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await EndAsync(reading).ConfigureAwait(false);
                throw;
            }

            await reading.ConfigureAwait(false);
            StreamReceipt receipt = await StreamReceipt.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
            NoteKept(receipt, pass.NewPages);
            TimeSpan? interval = _previousPass is { } previous ? time.GetElapsedTime(previous, started) : null;
            _previousPass = started;
            return new MemoryRound(pass.Pages, pass.NewPages, pass.ChangedPages, wire, time.GetElapsedTime(started), interval, book.IsFull) { UnseenBytes = memory.UnseenBytes };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isAbandoned)
            memory.Dispose();
    }

    /// <summary>A target without room keeps only the first pages of a round, and no further ones.</summary>
    // spec: MIG-87
    private void NoteKept(StreamReceipt receipt, long sent)
    {
        long kept = receipt.Bytes / PageRun.PageSize;
        PeerFault.Require(kept >= 0 && kept <= sent && receipt.Bytes % PageRun.PageSize == 0, "keeps other pages than it was sent");
        if (kept < sent)
            book.CloseAt(book.Count - sent + kept);
    }

    /// <summary>
    /// Waits for the thread that reads, but not for ever: a page of the container may be one that the container itself has to provide, and does not. Such a thread
    /// has what it needs to itself and comes to its end when the page comes, or the process ends.
    /// </summary>
    // spec: MEM-13
    private async Task EndAsync(Task reading)
    {
        try
        {
            await reading.WaitAsync(ReaderPatience, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _isAbandoned = true;
            _ = reading.ContinueWith(_ => memory.Dispose(), TaskScheduler.Default);
        }
        catch (Exception)
        {
            // how it ended is of no interest any more
        }
    }

    private async Task<long> SendAsync(ITunnelStream stream, ChannelReader<LivePageBatch> batches, CancellationToken cancellationToken)
    {
        long wire = 0, pages = 0;
        await foreach (LivePageBatch batch in batches.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            using (batch)
            {
                int written = Write(stream, batch);
                (wire, pages) = (wire + written, pages + batch.Pages);
                meter.Move((long)batch.Pages * PageRun.PageSize, written);
            }

            await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        PageRecord.End(pages).Write(stream.Output.GetSpan(PageRecord.Size));
        stream.Output.Advance(PageRecord.Size);
        await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        return wire + PageRecord.Size;
    }

    private static int Write(ITunnelStream stream, LivePageBatch batch)
    {
        PageRecord.Fresh(batch.FirstNumber, batch.Pages).Write(stream.Output.GetSpan(PageRecord.Size));
        stream.Output.Advance(PageRecord.Size);
        int written = PageBlock.Encode(batch.Content, stream.Output.GetSpan(PageBlock.MaxLength));
        stream.Output.Advance(written);
        return PageRecord.Size + written;
    }

    /// <summary>The reader may lower the priority of its thread, which no pool would like to get back.</summary>
    private static Task RunOnItsOwnThread(Action run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                run();
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        {
            IsBackground = true,
            Name = "live memory",
        };
        thread.Start();
        return done.Task;
    }
}
