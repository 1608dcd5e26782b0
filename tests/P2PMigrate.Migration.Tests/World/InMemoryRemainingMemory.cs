using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>Memory that a dump has left in a frozen copy, of which nothing is handed over once that copy has run.</summary>
// spec: MEM-21
internal sealed class InMemoryRemainingMemory(InMemoryRuntime runtime, SimulatedContainer copy, int mark, IReadOnlyList<PageRun> left) : IRemainingMemory
{
    private const uint PiecePages = 20;

    public long Bytes => left.Sum(run => (long)run.Pages) * PageRun.PageSize;

    public async Task DeliverAsync(IPageSink sink, CancellationToken cancellationToken)
    {
        await sink.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), cancellationToken);
        foreach (PageRun run in left)
        {
            for (uint first = 0; first < run.Pages; first += PiecePages)
            {
                await runtime.AtAsync("give", cancellationToken);
                var piece = new PageRun(run.Address + (first * PageRun.PageSize), Math.Min(PiecePages, run.Pages - first), InMemoryFence.LazyFlag | InMemoryFence.PresentFlag);
                await sink.WriteAsync(piece, ReadStill(piece.Address, piece.Pages), cancellationToken);
            }
        }

        await sink.CompleteAsync(cancellationToken);
    }

    public int Read(ulong process, ulong address, int pages, Span<byte> content)
    {
        if (runtime.IsDead)
            throw new OperationCanceledException("killed");
        runtime.AtAsync("wanted").GetAwaiter().GetResult();
        PageRun run = left.FirstOrDefault(run => process == 1 && address % PageRun.PageSize == 0 && address >= run.Address && address < run.Address + ((ulong)run.Pages * PageRun.PageSize));
        if (run.Pages == 0)
            throw new ContainerException($"Page 0x{address:x} of process {process} of {copy.Name} was not left here.");
        uint count = (uint)Math.Min(Math.Min(pages, content.Length / PageRun.PageSize), (long)(run.Pages - ((address - run.Address) / PageRun.PageSize)));
        ReadStill(address, count).CopyTo(content);
        return (int)count;
    }

    public void Dispose()
    {
    }

    private byte[] ReadStill(ulong address, uint pages)
    {
        byte[] content = copy.Memory.AsSpan(InMemoryFence.OffsetOf(address), (int)pages * PageRun.PageSize).ToArray();
        return copy.State == CopyState.Frozen && copy.Runs == mark ? content
            : throw new ContainerException($"The frozen copy of {copy.Name} was thawed by somebody while its memory was still needed, so what is left of it is not what was dumped.");
    }
}
