using System.Security.Cryptography;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>
/// Memory that arrives on a machine for a container that was restored there, whichever program takes it in. When all of it is there, it is compared with what was dumped, byte for byte. Any number of threads.
/// </summary>
internal sealed class LateArrival
{
    private readonly Lock _lock = new();
    private readonly SimulatedWorld _world;
    private readonly byte[] _memory, _digest;
    private readonly HashSet<int> _left, _lacking;
    private readonly List<int> _touched = [];
    private readonly List<byte[]> _copies = [];
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary><paramref name="memory"/> is what came with the images, whose digest of all memory is <paramref name="digest"/>.</summary>
    public LateArrival(SimulatedWorld world, byte[] memory, byte[] digest, IReadOnlyList<PageRun> left)
    {
        (_world, _memory, _digest) = (world, memory, digest);
        _left = [.. left.SelectMany(run => Enumerable.Range(PageAt(run.Address), (int)run.Pages))];
        _lacking = [.. _left];
    }

    public long Bytes => (long)_left.Count * PageRun.PageSize;

    public bool IsComplete => _complete.Task.IsCompleted;

    public Task WhenComplete => _complete.Task;

    public int Lacking
    {
        get
        {
            lock (_lock)
                return _lacking.Count;
        }
    }

    /// <summary>Completes when something is touched or arrives after it was asked for.</summary>
    public Task News
    {
        get
        {
            lock (_lock)
                return _news.Task;
        }
    }

    /// <summary>What a container is restored with.</summary>
    public byte[] NewMemory() => new byte[_memory.Length];

    /// <summary>What is there goes into a container's memory, and what comes too.</summary>
    public void FillFromNowOn(byte[] copy)
    {
        lock (_lock)
        {
            _memory.CopyTo(copy, 0);
            _copies.Add(copy);
        }
    }

    /// <summary>The container touches these pages, and waits until they are there.</summary>
    public async Task TouchAsync(IReadOnlyCollection<int> pages, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task news;
            lock (_lock)
            {
                if (!_lacking.Overlaps(pages))
                    return;
                _touched.AddRange(pages.Except(_touched));
                Tell();
                news = _news.Task;
            }

            await news.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A page that is touched, is lacking, and is not among <paramref name="named"/>.</summary>
    public int? FindTouched(ISet<int> named)
    {
        lock (_lock)
            return _touched.Where(page => _lacking.Contains(page) && !named.Contains(page)).Select(page => (int?)page).FirstOrDefault();
    }

    public IReadOnlyList<int> FindLacking()
    {
        lock (_lock)
            return [.. _lacking.Order()];
    }

    // spec: MEM-22
    public void Take(ulong process, ulong address, ReadOnlySpan<byte> pages)
    {
        if (process != 1)
            throw new SnapshotException($"The source sent memory of process {process}, for which nobody waits.");
        lock (_lock)
        {
            for (int offset = 0; offset < pages.Length; offset += PageRun.PageSize)
                TakePage(address + (ulong)offset, pages.Slice(offset, PageRun.PageSize));
            Tell();
            if (_lacking.Count == 0 && !_complete.Task.IsCompleted)
                Complete();
        }
    }

    private static int PageAt(ulong address) =>
        address >= SimulatedContainer.Address && address % PageRun.PageSize == 0 ? (int)Math.Min(int.MaxValue, (address - SimulatedContainer.Address) / PageRun.PageSize) : -1;

    /// <summary>What is there is not written again: the container may have.</summary>
    private void TakePage(ulong address, ReadOnlySpan<byte> content)
    {
        int page = PageAt(address);
        if (!_left.Contains(page))
            throw new SnapshotException($"The source sent a page of process 1 for which nobody waits (0x{address:x}).");
        if (!_lacking.Remove(page))
            return;
        foreach (byte[] memory in (byte[][])[_memory, .. _copies])
            content.CopyTo(memory.AsSpan(page * PageRun.PageSize));
    }

    private void Complete()
    {
        if (!SHA256.HashData(_memory).AsSpan().SequenceEqual(_digest))
            _world.Complain("memory that arrived late is not what was dumped");
        _complete.SetResult();
    }

    private void Tell()
    {
        TaskCompletionSource told = _news;
        _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        told.SetResult();
    }
}
