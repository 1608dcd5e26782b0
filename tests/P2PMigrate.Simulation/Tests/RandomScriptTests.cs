using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace P2PMigrate.Simulation.Tests;

/// <summary>
/// Thousands of random runs. <c>P2PMIGRATE_SEEDS</c> says how many (default 10 000), <c>P2PMIGRATE_SEED</c> replays one.
/// </summary>
public sealed class RandomScriptTests(ITestOutputHelper output)
{
    private const ulong DefaultCount = 10_000;
    private const int MaxFailures = 10;

    // spec: REC-10, REC-11, STR-10
    [Fact]
    public void Every_byte_arrives_once_and_in_order_whatever_the_network_does()
    {
        ulong first = Setting("P2PMIGRATE_SEED") ?? 1;
        ulong count = Setting("P2PMIGRATE_SEED") is null ? Setting("P2PMIGRATE_SEEDS") ?? DefaultCount : 1;
        Stopwatch watch = Stopwatch.StartNew();
        long steps = 0;
        ConcurrentQueue<string> failures = [];
        Parallel.For((long)first, (long)(first + count), (seed, loop) =>
        {
            try
            {
                using World world = new RandomScript((ulong)seed).Run();
                Interlocked.Add(ref steps, world.Steps);
            }
            catch (Exception exception)
            {
                failures.Enqueue($"Replay with P2PMIGRATE_SEED={seed}: {(count == 1 ? exception : exception.Message)}");
                if (failures.Count >= MaxFailures)
                    loop.Stop();
            }
        });

        output.WriteLine($"{count} seeds, {steps} steps in {watch.Elapsed.TotalSeconds:F1} s");
        Assert.True(failures.IsEmpty, string.Join(Environment.NewLine, failures));
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
}
