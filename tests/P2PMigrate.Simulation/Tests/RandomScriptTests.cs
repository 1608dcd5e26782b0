using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using P2PMigrate.Simulation.Scripts;

namespace P2PMigrate.Simulation.Tests;

/// <summary>
/// Thousands of random runs. <c>P2PMIGRATE_SEEDS</c> says how many (default 10 000), <c>P2PMIGRATE_SEED</c> replays one and
/// makes it as small as it gets.
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
        ConcurrentQueue<(ulong Seed, Exception Exception)> failures = [];
        Parallel.For((long)first, (long)(first + count), (seed, loop) =>
        {
            try
            {
                using World world = RandomScript.From((ulong)seed).Run();
                Interlocked.Add(ref steps, world.Steps);
            }
            catch (Exception exception)
            {
                failures.Enqueue(((ulong)seed, exception));
                if (failures.Count >= MaxFailures)
                    loop.Stop();
            }
        });

        output.WriteLine($"{count} seeds, {steps} steps in {watch.Elapsed.TotalSeconds:F1} s");
        Assert.True(failures.IsEmpty, string.Join(Environment.NewLine, failures.Select((failure, i) => Report(failure.Seed, failure.Exception, shrinks: i == 0))));
    }

    // Each failed once: at 69541 and 72082 a path became primary again that was measured meanwhile, and its timer was overdue.
    [Theory]
    [InlineData(69_541)]
    [InlineData(72_082)]
    public void A_seed_that_failed_once_holds(ulong seed)
    {
        using World world = RandomScript.From(seed).Run();
    }

    [Fact]
    public void A_failing_script_shrinks_to_what_it_fails_for()
    {
        Script script = Enumerable.Range(1, 100).Select(seed => RandomScript.From((ulong)seed)).First(script => script.Operations.Length > 6);
        Operation cause = new CutRoute(TimeSpan.FromSeconds(1), IsRelay: true, For: null);
        script = script with { Operations = script.Operations.Insert(script.Operations.Length / 2, cause) };
        Script smallest = new Shrinker(candidate => candidate.Operations.Contains(cause) && candidate.Direct.Delay > TimeSpan.Zero).Shrink(script);
        Assert.Equal([cause], smallest.Operations);
        Assert.Equal((0, 0, 0, 0), (smallest.Direct.Loss, smallest.Direct.Corrupt, smallest.Relay.Rate, smallest.Relay.Reorder));
    }

    [Fact]
    public void Any_part_of_a_script_is_a_script_that_holds()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            Script script = RandomScript.From(seed);
            for (int i = 0; i < script.Operations.Length; i++)
            {
                using World world = (script with { Operations = script.Operations.RemoveAt(i) }).Run();
            }
        }
    }

    private static string Report(ulong seed, Exception exception, bool shrinks)
    {
        string text = $"Replay with P2PMIGRATE_SEED={seed}: {(shrinks ? exception : exception.Message)}";
        if (!shrinks)
            return text;
        Script smallest = new Shrinker(script => Fails(script, exception.Message)).Shrink(RandomScript.From(seed));
        return $"{text}{Environment.NewLine}Smallest script that fails in the same way:{Environment.NewLine}{smallest}";
    }

    // The first words say what does not hold; the rest are numbers of this run.
    private static bool Fails(Script script, string message)
    {
        try
        {
            using World world = script.Run();
            return false;
        }
        catch (Exception exception)
        {
            return exception.Message.Split('.')[0] == message.Split('.')[0];
        }
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
}
