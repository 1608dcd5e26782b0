using System.Diagnostics;
using System.Globalization;

namespace P2PMigrate.Simulation.Tests;

/// <summary>
/// Thousands of random runs. <c>P2PMIGRATE_SEEDS</c> says how many (default 10 000), <c>P2PMIGRATE_SEED</c> replays one.
/// </summary>
public sealed class RandomScriptTests(ITestOutputHelper output)
{
    private const ulong DefaultCount = 10_000;

    // spec: REC-10, REC-11, STR-10
    [Fact]
    public void Every_byte_arrives_once_and_in_order_whatever_the_network_does()
    {
        ulong first = Setting("P2PMIGRATE_SEED") ?? 1;
        ulong count = Setting("P2PMIGRATE_SEED") is null ? Setting("P2PMIGRATE_SEEDS") ?? DefaultCount : 1;
        Stopwatch watch = Stopwatch.StartNew();
        long steps = 0;
        List<string> failures = [];
        for (ulong seed = first; seed < first + count && failures.Count < 10; seed++)
        {
            try
            {
                using World world = new RandomScript(seed).Run();
                steps += world.Steps;
            }
            catch (Exception exception)
            {
                failures.Add($"Replay with P2PMIGRATE_SEED={seed}: {(count == 1 ? exception : exception.Message)}");
            }
        }

        output.WriteLine($"{count} seeds, {steps} steps in {watch.Elapsed.TotalSeconds:F1} s");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
}
