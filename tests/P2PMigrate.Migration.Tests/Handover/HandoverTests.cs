using System.Globalization;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// Jobs with faults from a seed. <c>P2PMIGRATE_HANDOVER_SEEDS</c> says how many seeds to run (default 20 000), <c>P2PMIGRATE_HANDOVER_PART</c> takes one part of them, such as
/// "1/8", and <c>P2PMIGRATE_HANDOVER_SEED</c> replays one and prints its story.
/// </summary>
public sealed class HandoverTests(ITestOutputHelper output)
{
    private const int SeedsPerRun = 20_000;
    private const int SeedsToNotice = 200_000;

    [Fact]
    public void Without_faults_every_job_completes()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            var world = new HandoverWorld(seed, withFaults: false);
            world.Run();
            Assert.True(world.Violation is null && world.Ends.Keys.All(end => end == "migrated"), $"seed {seed}: {world.Violation ?? string.Join(", ", world.Ends.Keys)}");
        }
    }

    [Fact]
    [Trait("Spec", "MIG-42")]
    [Trait("Spec", "MIG-44")]
    [Trait("Spec", "MIG-54")]
    [Trait("Spec", "MIG-55")]
    [Trait("Spec", "MIG-59")]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-105")]
    [Trait("Spec", "MIG-191")]
    public void With_faults_never_two_run_and_in_the_end_one_does()
    {
        if (Setting("SEED") is { } only)
        {
            Run(int.Parse(only, CultureInfo.InvariantCulture), []);
            return;
        }

        int count = Setting("SEEDS") is { } many ? int.Parse(many, CultureInfo.InvariantCulture) : SeedsPerRun;
        (int part, int parts) = Setting("PART") is { } text ? (int.Parse(text.Split('/')[0], CultureInfo.InvariantCulture), int.Parse(text.Split('/')[1], CultureInfo.InvariantCulture)) : (1, 1);
        var ends = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int seed = part - 1; seed < count; seed += parts)
        {
            foreach ((string end, int times) in Run(seed, null))
                ends[end] = ends.GetValueOrDefault(end) + times;
        }

        foreach ((string end, int times) in ends)
            output.WriteLine($"{times,9} {end}");
        Assert.True(ends.Count == 9 || count < SeedsPerRun, "not every end was seen");
    }

    /// <summary>The job that had brought the container was over but for its journal, whose last record was read and not durable.</summary>
    [Theory]
    [InlineData(583_560)]
    [InlineData(426_501)]
    [InlineData(295_542)]
    [Trait("Spec", "MIG-134")]
    public void Regression_a_container_went_on_and_was_lost_to_the_job_that_had_brought_it(int seed) => Run(seed, [], asks: false, leavesMemory: false);   // what ended a doubt then was a person's word alone

    /// <summary>A world that does not keep a rule comes to grief in one of these seeds: soon, but where it takes a record that was durable and cannot be read again.</summary>
    [Theory]
    [InlineData(nameof(HandoverFlaw.RecordsAreNotFlushed))]
    [InlineData(nameof(HandoverFlaw.DoubtsAreThawed))]
    [InlineData(nameof(HandoverFlaw.DoubtsAreCleanedUp))]
    [InlineData(nameof(HandoverFlaw.TornTailsAreOverlooked))]
    [InlineData(nameof(HandoverFlaw.UnfinishedJobsAreTakenIn))]
    [InlineData(nameof(HandoverFlaw.UnknownFatesAreGone))]
    [InlineData(nameof(HandoverFlaw.MemoryLeftIsForgotten))]
    [InlineData(nameof(HandoverFlaw.MemoryIsTakenInTooEarly))]
    public void A_rule_that_is_broken_is_noticed(string name)
    {
        HandoverFlaw flaw = Enum.Parse<HandoverFlaw>(name);
        for (int seed = 0; seed < SeedsToNotice; seed++)
        {
            var world = new HandoverWorld(seed, withFaults: true, flaw: flaw) { LeavesMemory = flaw is HandoverFlaw.MemoryLeftIsForgotten or HandoverFlaw.MemoryIsTakenInTooEarly };
            world.Run();
            if (world.Violation is not { } violation)
                continue;
            output.WriteLine($"seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"Nobody notices that {flaw}.");
    }

    /// <summary>Runs a seed; one that breaks a promise is run again, for its story.</summary>
    private Dictionary<string, int> Run(int seed, List<string>? story, bool asks = true, bool leavesMemory = true)
    {
        var world = new HandoverWorld(seed, withFaults: true, story) { Asks = asks, LeavesMemory = leavesMemory };
        world.Run();
        if (world.Violation is not null && story is null)
            Run(seed, [], asks, leavesMemory);
        foreach (string line in story ?? [])
            output.WriteLine(line);
        Assert.True(world.Violation is null, $"seed {seed} (again with P2PMIGRATE_HANDOVER_SEED={seed}): {world.Violation}");
        return world.Ends;
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable($"P2PMIGRATE_HANDOVER_{name}");
}
