using System.Globalization;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>What a later process of ours must know to read what a dump has left in the processes.</summary>
internal sealed record RemainingRecord
{
    /// <summary>The boot in which all this is true.</summary>
    public required string BootId { get; init; }

    /// <summary>What the cgroup was like when CRIU had ended.</summary>
    public required StandstillMark Mark { get; init; }
}

/// <summary>
/// Memory that a dump has left in the frozen processes: which pages that are is noted in the work directory, and what tells whether they have stood still since. Nothing is handed over of which it is not known, after it was read, that they have.
/// One caller of each method.
/// </summary>
// spec: MEM-21
internal sealed class RemainingMemory : IRemainingMemory
{
    private const string NotesName = "remaining", RecordName = "remaining.json";
    private const string Fate = "If it runs at the target already, it waits there for memory that will not come: end it there, and start it anew.";

    private readonly string _container;
    private readonly Cgroup _cgroup;
    private readonly Standstill _standstill;
    private readonly IReadOnlyList<PagemapImage> _left;
    private readonly FrozenMemory _forAll, _forOne;

    private RemainingMemory(string container, Cgroup cgroup, Standstill standstill, IReadOnlyList<PagemapImage> left)
    {
        (_container, _cgroup, _standstill, _left) = (container, cgroup, standstill, left);
        IReadOnlyList<int> pids = cgroup.Pids();
        _forAll = new FrozenMemory(pids);
        _forOne = new FrozenMemory(pids);
    }

    /// <summary>Where the notes are.</summary>
    public static string NotesIn(string workDirectory) => Path.Combine(workDirectory, NotesName);

    /// <summary>Removes what an earlier dump has left there.</summary>
    public static void Forget(string workDirectory)
    {
        File.Delete(Path.Combine(workDirectory, RecordName));
        if (Directory.Exists(NotesIn(workDirectory))) Directory.Delete(NotesIn(workDirectory), recursive: true);
    }

    /// <summary>The dump has come to its end, with notes or without: those that are there count from now on.</summary>
    public static void Note(string workDirectory, Standstill standstill)
    {
        if (!Directory.Exists(NotesIn(workDirectory))) return;
        var record = new RemainingRecord { BootId = WorkRecord.CurrentBootId, Mark = standstill.Mark };
        WorkRecord.Save(Path.Combine(workDirectory, RecordName), record, RecordJson.Default.RemainingRecord);
    }

    /// <summary>What is left; null when nothing is. Throws <see cref="ContainerException"/> when it is lost.</summary>
    public static RemainingMemory? Open(string workDirectory, string container, Cgroup cgroup)
    {
        if (WorkRecord.Load(Path.Combine(workDirectory, RecordName), RecordJson.Default.RemainingRecord) is not { } record) return null;
        if (record.BootId != WorkRecord.CurrentBootId || !cgroup.Exists) throw new ContainerException($"The memory of {container} that was left here is gone with its processes. {Fate}");
        return new RemainingMemory(container, cgroup, Standstill.Since(record.Mark, cgroup), PagemapImage.ReadAll(NotesIn(workDirectory)));
    }

    /// <inheritdoc/>
    public long Bytes => _left.Sum(left => left.Runs.Sum(run => (long)run.Pages)) * PageRun.PageSize;

    /// <inheritdoc/>
    public async Task DeliverAsync(IPageSink sink, CancellationToken cancellationToken)
    {
        var delivery = new PageDelivery(sink, _forAll, leavesLater: false, RequireStill);
        foreach (PagemapImage left in _left)
        {
            await sink.OpenAsync(left.Space, cancellationToken).ConfigureAwait(false);
            await delivery.DeliverAsync(left.Space, left.Runs, pagesPath: null, cancellationToken).ConfigureAwait(false);
        }

        await sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public int Read(ulong process, ulong address, int pages, Span<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pages, 1);
        PageRun run = RunWith(process, address);
        uint count = (uint)Math.Min((ulong)Math.Min(pages, content.Length / PageRun.PageSize), run.Pages - ((address - run.Address) / PageRun.PageSize));
        _forOne.Read(process, [new PageRun(address, count, PagemapImage.LazyFlag)], content[..(int)(count * PageRun.PageSize)]);
        RequireStill();
        return (int)count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _forAll.Dispose();
        _forOne.Dispose();
    }

    // spec: MIG-151
    private void RequireStill()
    {
        if (_standstill.HasHeld()) return;
        throw new ContainerException($"The frozen copy of {_container} was thawed by somebody ({_cgroup.Path}) while its memory was still needed, so what is left of it is not what was dumped. {Fate}");
    }

    private PageRun RunWith(ulong process, ulong address)
    {
        IReadOnlyList<PageRun> runs = _left.FirstOrDefault(left => left.Space == new PageSpace(PageSpaceKind.Process, process))?.Runs ?? [];
        int low = 0;
        for (int high = runs.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (runs[middle].Address + ((ulong)runs[middle].Pages * PageRun.PageSize) <= address) low = middle + 1;
            else high = middle;
        }

        return low < runs.Count && runs[low].Address <= address && address % PageRun.PageSize == 0
            ? runs[low]
            : throw new ContainerException(string.Create(CultureInfo.InvariantCulture, $"Page 0x{address:x} of process {process} of {_container} was not left here."));
    }
}
