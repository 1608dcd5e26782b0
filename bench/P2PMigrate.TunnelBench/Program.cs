using P2PMigrate.BenchReport;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench;
using P2PMigrate.TunnelBench.Behaviour;
using P2PMigrate.TunnelBench.Raw;
using P2PMigrate.TunnelBench.Results;

return args switch
{
    // The programs that measurements start in their nodes.
    ["raw-send", var address, var seconds] => RawPeer.Send(address, seconds),
    ["raw-receive", var address] => RawPeer.Receive(address),
    ["peer-serve", var address, .. var more] => await PeerProgram.ServeAsync(address, more),
    ["rendezvous", var address] => await PeerProgram.MeetAsync(address),
    ["peer-run", var ticket, var mode, var seconds] => await PeerProgram.RunAsync(ticket, mode, seconds),
    [var plan, .. var options] when plan.EndsWith(".json", StringComparison.Ordinal) => await MeasureAsync(plan, options),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: bench/tunnel PLAN.json [--runs N] [--out DIRECTORY]; plans are in bench/plans");
    return 2;
}

static async Task<int> MeasureAsync(string file, string[] options)
{
    try
    {
        Plan plan = PlanFile.Read<Plan>(file);
        string output = "artifacts/bench";
        for (int i = 0; i + 1 < options.Length; i += 2)
        {
            switch (options[i])
            {
                case "--runs":
                    plan = plan with { Runs = int.Parse(options[i + 1]) };
                    break;
                case "--out":
                    output = options[i + 1];
                    break;
                default:
                    return Usage();
            }
        }

        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            interrupted.Cancel();
        };
        (IReadOnlyList<Row> rows, IReadOnlyList<BehaviourRow> behaviours) = await new BenchRun(plan, Console.Error).RunAsync(interrupted.Token);
        Directory.CreateDirectory(output);
        string name = Path.Combine(output, Path.GetFileNameWithoutExtension(file));
        string table = BenchTable.Markdown(plan, rows, behaviours);
        await File.WriteAllTextAsync(name + ".md", table);
        await File.WriteAllTextAsync(name + ".json", BenchTable.Json(plan, rows, behaviours));
        if (rows.Count > 0)
            await File.WriteAllTextAsync(name + ".svg", BenchTable.Chart(plan, rows));
        Console.WriteLine(table);
        return 0;
    }
    catch (Exception failure) when (failure is LabException or OperationCanceledException)
    {
        Console.Error.WriteLine(failure.Message);
        return 1;
    }
}
