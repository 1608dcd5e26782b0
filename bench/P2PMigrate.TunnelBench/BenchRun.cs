using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Behaviour;
using P2PMigrate.TunnelBench.Contenders;
using P2PMigrate.TunnelBench.Ground;
using P2PMigrate.TunnelBench.Results;

namespace P2PMigrate.TunnelBench;

/// <summary>
/// Carries a plan out: round after round, in each round every contender once on every link, each time in another order, so that
/// what disturbs the machine for a while disturbs all of them. A contender that fails in a round is named and the rest goes on.
/// </summary>
internal sealed class BenchRun(Plan plan, TextWriter log)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    public async Task<(IReadOnlyList<Row> Rows, IReadOnlyList<BehaviourRow> Behaviours)> RunAsync(CancellationToken cancellationToken)
    {
        var samples = new Dictionary<(string Link, string Contender), List<Sample>>();
        var figures = new Dictionary<(string Behaviour, string Link), Dictionary<string, List<double>>>();
        var failures = new Dictionary<(string, string), List<string>>();
        for (int round = 0; round < plan.Runs; round++)
        {
            foreach (string link in plan.Links)
            {
                foreach (string name in Order(round))
                    await TryAsync((link, name), round, failures, cancel => ThroughputAsync(link, name, round, samples, cancel), cancellationToken);
                foreach (string name in plan.Behaviours)
                    await TryAsync((name, link), round, failures, cancel => BehaviourAsync(link, name, round, figures, cancel), cancellationToken);
            }
        }

        return (
            [.. plan.Links.SelectMany(link => plan.Contenders.Select(name =>
                new Row(link, name, samples.GetValueOrDefault((link, name)) ?? [], failures.GetValueOrDefault((link, name)) ?? [])))],
            [.. plan.Links.SelectMany(link => plan.Behaviours.Select(name => new BehaviourRow(
                name, link, (figures.GetValueOrDefault((name, link)) ?? []).ToDictionary(figure => figure.Key, figure => figure.Value.ToArray()),
                failures.GetValueOrDefault((name, link)) ?? [])))]);
    }

    /// <summary>
    /// Everybody comes early in some rounds and late in others, and before a neighbour in some and after it in others: the list begins
    /// further on in every round, and every other round goes backwards.
    /// </summary>
    private IEnumerable<string> Order(int round)
    {
        int count = plan.Contenders.Length, begin = round * count / plan.Runs;
        IEnumerable<string> order = Enumerable.Range(0, count).Select(place => plan.Contenders[(begin + place) % count]);
        return round % 2 == 0 ? order : order.Reverse();
    }

    private async Task TryAsync(
        (string, string) what, int round, Dictionary<(string, string), List<string>> failures, Func<CancellationToken, Task> measure, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            await measure(limit.Token);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (!failures.TryGetValue(what, out List<string>? reasons))
                failures.Add(what, reasons = []);
            reasons.Add(failure.Message.Split('\n')[0]);
            await log.WriteLineAsync($"round {round + 1}: {what.Item1}: {what.Item2}: {failure.Message}");
        }
    }

    private async Task ThroughputAsync(
        string link, string name, int round, Dictionary<(string, string), List<Sample>> samples, CancellationToken cancellationToken)
    {
        IContender contender = ContenderList.Find(name);
        if (contender.WhyNot is { } reason)
            throw new LabException(reason);
        await using BenchNetwork network = await BenchNetwork.RaiseAsync(link, seed: (ulong)round + 1, cancellationToken);
        var window = new TransferWindow(TimeSpan.FromSeconds(plan.Seconds), TimeSpan.FromSeconds(plan.Skip));
        var sample = Sample.Of(round, await window.MeasureAsync(network, cancel => contender.CarryAsync(network, window.Sending, cancel), cancellationToken));
        if (!samples.TryGetValue((link, name), out List<Sample>? list))
            samples.Add((link, name), list = []);
        list.Add(sample);
        await log.WriteLineAsync($"round {round + 1}: {link}: {name}: {sample.BytesPerSecond * 8 / 1e6:0.0} Mbit/s, {sample.Cpu:0.00} CPU-s/GB");
    }

    private async Task BehaviourAsync(
        string link, string name, int round, Dictionary<(string, string), Dictionary<string, List<double>>> figures, CancellationToken cancellationToken)
    {
        IBehaviour behaviour = BehaviourList.Find(name);
        await using BenchNetwork network = await BenchNetwork.RaiseAsync(link, seed: (ulong)round + 1, cancellationToken);
        IReadOnlyDictionary<string, double> measured = await behaviour.MeasureAsync(network, cancellationToken);
        if (!figures.TryGetValue((name, link), out Dictionary<string, List<double>>? all))
            figures.Add((name, link), all = []);
        foreach ((string figure, double value) in measured)
        {
            if (!all.TryGetValue(figure, out List<double>? values))
                all.Add(figure, values = []);
            values.Add(value);
        }

        await log.WriteLineAsync($"round {round + 1}: {link}: {name}: {string.Join(", ", measured.Select(figure => $"{figure.Key} {figure.Value:0.###}"))}");
    }
}
