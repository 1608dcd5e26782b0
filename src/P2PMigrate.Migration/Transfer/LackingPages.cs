using System.IO.Pipelines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// What a target lacks of memory that was left for later: it says so on the stream on which all the rest follows, before anything does, so that nothing of it is sent that has come already.
/// </summary>
// spec: MIG-103
internal sealed class LackingPages
{
    /// <summary>The most runs that are named.</summary>
    // spec: CONST-383
    public const int RunsMax = 65_536;

    private readonly Dictionary<ulong, List<(ulong Start, ulong End)>> _runs = [];

    private LackingPages()
    {
    }

    /// <summary>At the target: says it.</summary>
    public static async Task WriteAsync(PipeWriter output, ILateMemory memory, CancellationToken cancellationToken)
    {
        foreach (LackingRun run in memory.FindLacking(RunsMax))
            Write(output, new WantedRecord(run.Process, run.Address, run.Pages));
        Write(output, default);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>At the source: hears it.</summary>
    public static async Task<LackingPages> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var lacking = new LackingPages();
        for (int runs = 0; ; runs++)
        {
            byte[] bytes = await input.TryReadExactlyAsync(WantedRecord.Size, cancellationToken).ConfigureAwait(false) ?? throw PeerFault.Of("does not say what it lacks");
            WantedRecord run = WantedRecord.ReadRun(bytes);
            if (run.Pages == 0)
                return lacking;
            PeerFault.Require(runs < RunsMax, "named too many runs of memory that it lacks");
            lacking.Add(run);
        }
    }

    /// <summary>A sink that lets through what is lacking; the caller goes on owning <paramref name="sink"/>.</summary>
    public IPageSink Before(IPageSink sink) => new Gate(this, sink);

    private static void Write(PipeWriter output, WantedRecord record)
    {
        record.Write(output.GetSpan(WantedRecord.Size));
        output.Advance(WantedRecord.Size);
    }

    private void Add(WantedRecord run)
    {
        if (!_runs.TryGetValue(run.Process, out List<(ulong Start, ulong End)>? runs))
            _runs.Add(run.Process, runs = []);
        ulong end = run.Address + (run.Pages * (ulong)PageRun.PageSize);
        PeerFault.Require(run.Address % PageRun.PageSize == 0 && end > run.Address && (runs.Count == 0 || runs[^1].End <= run.Address), "named memory that it lacks in an order that is none");
        runs.Add((run.Address, end));
    }

    /// <summary>The first run that ends behind an address; how many there are when none does.</summary>
    private static int FirstBehind(List<(ulong Start, ulong End)> runs, ulong address)
    {
        int low = 0;
        for (int high = runs.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (runs[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private sealed class Gate(LackingPages lacking, IPageSink sink) : IPageSink
    {
        private PageSpace _space;
        private bool _isOpen;

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
        {
            (_space, _isOpen) = (space, false);
            return ValueTask.CompletedTask;
        }

        public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            if (!lacking._runs.TryGetValue(_space.Id, out List<(ulong Start, ulong End)>? runs))
                return;
            ulong end = run.Address + (ulong)pages.Length;
            for (int next = FirstBehind(runs, run.Address); next < runs.Count && runs[next].Start < end; next++)
            {
                ulong from = Math.Max(run.Address, runs[next].Start), to = Math.Min(end, runs[next].End);
                await OpenOnceAsync(cancellationToken).ConfigureAwait(false);
                await sink.WriteAsync(
                    new PageRun(from, (uint)((to - from) / PageRun.PageSize), run.Flags), pages.Slice((int)(from - run.Address), (int)(to - from)), cancellationToken).ConfigureAwait(false);
            }
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => sink.CompleteAsync(cancellationToken);

        private async ValueTask OpenOnceAsync(CancellationToken cancellationToken)
        {
            if (_isOpen)
                return;
            await sink.OpenAsync(_space, cancellationToken).ConfigureAwait(false);
            _isOpen = true;
        }
    }
}
