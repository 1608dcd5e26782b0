using P2PMigrate.Lab;
using P2PMigrate.MatrixBench.Contenders;

namespace P2PMigrate.MatrixBench;

/// <summary>Runs cells one after the other, or several at a time: a lab for each, in it so many attempts with fresh peers.</summary>
internal sealed class MatrixRun(IContender contender, int runs, string? leg, TextWriter progress)
{
    public async Task<IReadOnlyList<CellResult>> RunAsync(IReadOnlyList<Cell> cells, int atATime, CancellationToken cancellationToken)
    {
        var results = new CellResult[cells.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, cells.Count),
            new ParallelOptions { MaxDegreeOfParallelism = atATime, CancellationToken = cancellationToken },
            async (i, stop) =>
            {
                results[i] = await RunAsync(cells[i], stop);
                await progress.WriteLineAsync(results[i].ToString());
            });
        return results;
    }

    private async Task<CellResult> RunAsync(Cell cell, CancellationToken cancellationToken)
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(cell.Options(leg), cancellationToken);
        await using IAsyncDisposable meetingPlace = await contender.MeetAsync(lab, cancellationToken);
        var outcomes = new List<Outcome>();
        while (outcomes.Count < runs) outcomes.Add(await contender.ConnectAsync(lab, cancellationToken));
        return new CellResult(cell.Name, outcomes);
    }
}
