using System.Buffers;
using System.Threading.Channels;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// One pass over live memory: names every page, numbers those that the target lacks and hands them on in batches. <see cref="Run"/> has
/// a thread to itself, waits while too many batches wait, and has a key of its own, so that it may outlive the job when the container holds it up.
/// </summary>
internal sealed class LiveMemoryPass(byte[] keyBytes, PageBook book, PageHistory history, int batchesWaiting)
{
    private readonly Channel<LivePageBatch> _batches = Channel.CreateBounded<LivePageBatch>(
        new BoundedChannelOptions(batchesWaiting) { SingleReader = true, SingleWriter = true });

    private PageKey? _key;               // while it runs
    private LivePageBatch? _batch;
    private CancellationToken _stop;

    /// <summary>What is to be sent, in order of the numbers; ends with the pass, or with its failure.</summary>
    public ChannelReader<LivePageBatch> Batches => _batches.Reader;

    /// <summary>Pages that were there.</summary>
    public long Pages { get; private set; }

    /// <summary>Pages that the target lacked.</summary>
    public long NewPages { get; private set; }

    /// <summary>Pages that were not what they had been at the same address in the pass before.</summary>
    public long ChangedPages { get; private set; }

    /// <summary>Reads everything once.</summary>
    public void Run(ILiveMemory memory, CancellationToken cancellationToken)
    {
        _stop = cancellationToken;
        try
        {
            if (!PageKey.TryImport(keyBytes, out _key))
                throw new InvalidOperationException("This is no page key.");
            history.BeginPass();
            memory.ReadPass(Take, cancellationToken);
            history.EndPass();
            HandOn();
            _batches.Writer.Complete();
        }
        catch (Exception exception)
        {
            _batches.Writer.Complete(exception);
            throw;
        }
        finally
        {
            _batch?.Dispose();
            _key?.Dispose();
        }
    }

    private void Take(int process, ulong address, ReadOnlySpan<byte> pages)
    {
        _stop.ThrowIfCancellationRequested();
        for (int offset = 0; offset < pages.Length; offset += PageRun.PageSize)
        {
            ReadOnlySpan<byte> page = pages.Slice(offset, PageRun.PageSize);
            PageName name = _key!.NameOf(page);
            uint? number = name.IsZeros ? null : Number(name, page);
            Pages++;
            ChangedPages += history.Note(process, address + (ulong)offset, number) ? 1 : 0;
        }
    }

    /// <summary>Pages for which there is no room any more count as one: the dump will send them, and <see cref="MemoryRound.IsFull"/> says so.</summary>
    private uint Number(PageName name, ReadOnlySpan<byte> page)
    {
        if (!book.TryNumber(name, out uint number, out bool isNew))
            return uint.MaxValue - 2;
        if (isNew)
        {
            _batch ??= new LivePageBatch(number);
            _batch.Add(page);
            NewPages++;
            if (_batch.IsFull)
                HandOn();
        }

        return number;
    }

    private void HandOn()
    {
        if (_batch is not { } batch)
            return;
        _batch = null;
        while (!_batches.Writer.TryWrite(batch))
            _batches.Writer.WaitToWriteAsync(_stop).AsTask().GetAwaiter().GetResult();
    }
}

/// <summary>Pages of consecutive numbers that go into one block. Whoever has it disposes of it.</summary>
internal sealed class LivePageBatch(uint firstNumber) : IDisposable
{
    private readonly byte[] _content = ArrayPool<byte>.Shared.Rent(PageBlock.MaxContentLength);

    /// <summary>The number of the first one.</summary>
    public uint FirstNumber => firstNumber;

    /// <summary>How many there are.</summary>
    public int Pages { get; private set; }

    /// <summary>Is there no room for another?</summary>
    public bool IsFull => Pages == SnapshotLimits.MaxBlockPages;

    /// <summary>The pages, one behind the other.</summary>
    public ReadOnlySpan<byte> Content => _content.AsSpan(0, Pages * PageRun.PageSize);

    /// <summary>Takes a copy of a page.</summary>
    public void Add(ReadOnlySpan<byte> page) => page.CopyTo(_content.AsSpan(Pages++ * PageRun.PageSize));

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_content);
}
