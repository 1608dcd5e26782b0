using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Contenders;
using P2PMigrate.MigrationBench.Ground;
using P2PMigrate.MigrationBench.Results;

namespace P2PMigrate.MigrationBench;

/// <summary>
/// Carries a plan out: round after round, in each round every contender once with every workload on every link, on hosts of its own, each time in another order. A
/// contender that fails in a round is named and the rest goes on.
/// </summary>
internal sealed class BenchRun(Plan plan, TextWriter log)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(1);

    public async Task<IReadOnlyList<Row>> RunAsync(CancellationToken cancellationToken)
    {
        Row[] rows =
        [
            .. from link in plan.Links
               from workload in plan.Workloads
               from contender in plan.Contenders
               select new Row(link, workload, contender, [], []),
        ];
        for (int round = 0; round < plan.Runs; round++)
        {
            foreach (IGrouping<(string, string), Row> ground in rows.GroupBy(row => (row.Link, row.Workload)))
            {
                Row[] order = [.. ground];
                if (round % 2 == 1)
                    Array.Reverse(order);
                foreach (Row row in order)
                    await TryAsync(row, round, cancellationToken);
            }
        }

        return rows;
    }

    private async Task TryAsync(Row row, int round, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        string what = $"round {round + 1}: {row.Link}: {row.Workload}: {row.Contender}";
        try
        {
            Sample sample = await MeasureAsync(row, round, limit.Token);
            row.Samples.Add(sample);
            string figures = string.Join(", ", sample.Figures.Select(figure => $"{figure.Key} {figure.Value:0.#}"));
            await log.WriteLineAsync($"{what}: {sample.DowntimeMs:0} ms ({figures})");
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            row.Failures.Add(failure.Message.Split('\n')[0]);
            await log.WriteLineAsync($"{what}: {failure.Message}");
        }
    }

    private static async Task<Sample> MeasureAsync(Row row, int round, CancellationToken cancellationToken)
    {
        IContender contender = ContenderList.Find(row.Contender);
        if (contender.WhyNot is { } reason)
            throw new LabException(reason);
        await using TwoHosts hosts = await TwoHosts.RaiseAsync(
            row.Link, seed: (ulong)round + 1, [new BindMount(OurProgram.Directory, OurProgram.InHost, ReadOnly: true)], contender.Packages, cancellationToken);
        await contender.StartAsync(hosts, new WorkloadText(row.Workload), cancellationToken);
        using EchoProbe probe = EchoProbe.Start(hosts.Source, hosts.Target);
        await Task.Delay(s_quiet, cancellationToken);
        IReadOnlyDictionary<string, double> figures = await contender.MoveAsync(hosts, cancellationToken);
        await probe.SettleAsync(contender.Moves, cancellationToken);
        return new Sample(round, probe.Stop().TotalMilliseconds, figures);
    }
}
