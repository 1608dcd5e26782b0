using P2PMigrate.BenchReport;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench;
using P2PMigrate.MigrationBench.Results;

if (args is ["there-and-back", .. var wishes])
    return await ThereAndBackAsync(wishes);
if (args is ["first-copy", .. var asked])
    return await FirstCopyAsync(asked);
if (args is ["faults", .. var wanted])
    return await FaultsAsync(wanted);
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

// there-and-back [--runs N] [--link TEXT] [--workload TEXT] [--out DIRECTORY] [-- OPTION OF MIGRATE...]
static Task<int> ThereAndBackAsync(string[] wishes)
{
    (wishes, string[] options) = Apart(wishes);
    return SaveAsync(wishes, "prediction.md", async () =>
    {
        await using var run = new ThereAndBack(Wish(wishes, "--link", FastLink), Wish(wishes, "--workload", "memory=200 dirty=10"), options, Console.Error);
        return await run.RunAsync(int.Parse(Wish(wishes, "--runs", "10")), CancellationToken.None);
    });
}

// first-copy [--runs N] [--link TEXT] [--tree DIRECTORY] [--out DIRECTORY]
static Task<int> FirstCopyAsync(string[] wishes) => SaveAsync(wishes, "first-copy.md", () =>
    new FirstCopy(Wish(wishes, "--link", FastLink), Wish(wishes, "--tree", "/usr/share"), Console.Error).RunAsync(int.Parse(Wish(wishes, "--runs", "5")), CancellationToken.None));

// faults [--runs N] [--link TEXT] [--workload TEXT] [--mode MODE] [--out DIRECTORY] [-- OPTION OF MIGRATE...]
static Task<int> FaultsAsync(string[] wishes)
{
    (wishes, string[] options) = Apart(wishes);
    return SaveAsync(wishes, "faults.md", () =>
        new FaultWaits(Wish(wishes, "--link", "delay=10ms rate=100mbit queue=20ms"), Wish(wishes, "--workload", "memory=256 touch=1000"), ["--mode", Wish(wishes, "--mode", "post-copy"), .. options], Console.Error)
            .RunAsync(int.Parse(Wish(wishes, "--runs", "5")), CancellationToken.None));
}

// What is for us, and after "--" what is for the program that is measured.
static (string[] Ours, string[] Options) Apart(string[] all) =>
    Array.IndexOf(all, "--") is >= 0 and var end ? (all[..end], all[(end + 1)..]) : (all, []);

static async Task<int> SaveAsync(string[] wishes, string name, Func<Task<string>> measureAsync)
{
    try
    {
        string table = await measureAsync();
        string output = Directory.CreateDirectory(Wish(wishes, "--out", "artifacts/bench")).FullName;
        await File.WriteAllTextAsync(Path.Combine(output, name), table);
        Console.WriteLine(table);
        return 0;
    }
    catch (LabException failure)
    {
        Console.Error.WriteLine(failure.Message);
        return 1;
    }
}

static string Wish(string[] wishes, string name, string otherwise) =>
    Array.IndexOf(wishes, name) is >= 0 and var at && at + 1 < wishes.Length ? wishes[at + 1] : otherwise;

static int Usage()
{
    Console.Error.WriteLine("usage: bench/migration PLAN.json [--runs N] [--only WORKLOAD] [--out DIRECTORY]; plans are in bench/plans");
    Console.Error.WriteLine("       bench/migration there-and-back [--runs N] [--link TEXT] [--workload TEXT] [--out DIRECTORY] [-- OPTION OF MIGRATE...]");
    Console.Error.WriteLine("       bench/migration first-copy [--runs N] [--link TEXT] [--tree DIRECTORY] [--out DIRECTORY]");
    Console.Error.WriteLine("       bench/migration faults [--runs N] [--link TEXT] [--workload TEXT] [--mode MODE] [--out DIRECTORY] [-- OPTION OF MIGRATE...]");
    return 2;
}

internal static partial class Program
{
    private const string FastLink = "delay=500us rate=1gbit queue=4ms";
}
