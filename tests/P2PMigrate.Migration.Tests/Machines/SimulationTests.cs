using P2PMigrate.Migration.Machines;
using Copy = P2PMigrate.Migration.Tests.Machines.SimulatedPair.Copy;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>
/// Thousands of jobs with faults from a seed. To replay one: <c>P2PMIGRATE_SEED=n</c> runs that seed alone; <c>P2PMIGRATE_SEEDS=n</c> runs n of them.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int SeedsPerRun = 20_000;

    [Fact]
    public void Without_faults_every_job_completes()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            var pair = new SimulatedPair(seed, withFaults: false);
            pair.Run();
            Assert.True(pair is { Violation: null, SourceResult.End: SourceState.Completed, TargetCopy: Copy.Running, SourceCopy: Copy.Gone }, $"seed {seed}: {pair.Violation ?? pair.SourceResult?.ToString()}");
        }
    }

    [Fact]
    [Trait("Spec", "MIG-42")]
    [Trait("Spec", "MIG-44")]
    public void With_faults_never_two_run_and_never_none_without_a_word_about_it()
    {
        int first = int.TryParse(Environment.GetEnvironmentVariable("P2PMIGRATE_SEED"), out int only) ? only : 0;
        int count = first > 0 ? 1 : int.TryParse(Environment.GetEnvironmentVariable("P2PMIGRATE_SEEDS"), out int many) ? many : SeedsPerRun;
        var ends = new Dictionary<string, int>();
        for (int seed = first; seed < first + count; seed++)
        {
            var pair = new SimulatedPair(seed, withFaults: true);
            pair.Run();
            string end = EndOf(pair);
            Assert.False(end.StartsWith('!'), $"seed {seed} (replay with P2PMIGRATE_SEED={seed}): {end}");
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }

        foreach ((string end, int times) in ends.OrderByDescending(pair => pair.Value))
            output.WriteLine($"{times,7} {end}");
        if (count >= SeedsPerRun)
            Assert.Equal(4, ends.Count);
    }

    private static string EndOf(SimulatedPair pair) => pair switch
    {
        { Violation: { } violation } => $"!{violation}",
        { TargetCopy: Copy.Running, SourceCopy: Copy.Gone } => "runs at the target",
        { TargetCopy: Copy.Running, SourceCopy: Copy.Frozen, IsSourceInDoubt: true } => "runs at the target, in doubt at the source",
        { SourceCopy: Copy.Running, TargetCopy: Copy.None or Copy.Gone } => "runs at the source",
        { SourceCopy: Copy.Frozen, IsSourceInDoubt: true, TargetCopy: Copy.None or Copy.Gone } => "frozen at the source and in doubt",
        { SourceCopy: Copy.Frozen, IsSourceInDoubt: true, TargetCopy: Copy.Frozen, IsTargetInDoubt: true } => "frozen at the source and in doubt",
        _ => $"!source {pair.SourceCopy} (doubt {pair.IsSourceInDoubt}), target {pair.TargetCopy} (doubt {pair.IsTargetInDoubt}), {pair.SourceResult}",
    };
}
