using P2PMigrate.BenchReport;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench;
using P2PMigrate.MigrationBench.Results;

if (args is not [var file, .. var options] || !file.EndsWith(".json", StringComparison.Ordinal) || options.Length % 2 != 0)
    return Usage();
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
            case "--only":
                plan = plan with { Workloads = [.. plan.Workloads.Where(workload => workload == options[i + 1] || workload.StartsWith(options[i + 1] + "=", StringComparison.Ordinal))] };
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
    IReadOnlyList<Row> rows = await new BenchRun(plan, Console.Error).RunAsync(interrupted.Token);
    Directory.CreateDirectory(output);
    string name = Path.Combine(output, Path.GetFileNameWithoutExtension(file));
    string table = MigrationTable.Markdown(rows);
    await File.WriteAllTextAsync(name + ".md", table);
    await File.WriteAllTextAsync(name + ".json", MigrationTable.Json(plan, rows));
    await File.WriteAllTextAsync(name + ".svg", MigrationTable.Chart(plan, rows));
    Console.WriteLine(table);
    return 0;
}
catch (Exception failure) when (failure is LabException or OperationCanceledException)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

static int Usage()
{
    Console.Error.WriteLine("usage: bench/migration PLAN.json [--runs N] [--only WORKLOAD] [--out DIRECTORY]; plans are in bench/plans");
    return 2;
}
