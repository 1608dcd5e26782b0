using System.Collections.Concurrent;
using System.Globalization;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>
/// Every kind of NAT against every other. <c>P2PMIGRATE_NAT_SEEDS</c> says how many runs a pair gets (default 1); the figures
/// are printed as a table. <c>P2PMIGRATE_NAT_KINDS</c> takes only kinds whose names contain it, such as "APDF sequential",
/// and <c>P2PMIGRATE_NAT_PART</c> one part of the pairs, such as "1/8".
/// </summary>
public sealed class NatMatrixTests(ITestOutputHelper output)
{
    // Three attempts, the last one 15 s after the first.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    // spec: PATH-70
    [Fact]
    public void Every_pair_of_NATs_is_connected_and_direct_wherever_the_table_allows()
    {
        int seeds = Setting("P2PMIGRATE_NAT_SEEDS") ?? 1;
        IReadOnlyList<NatBehaviour> kinds = [.. NatKinds.All.Where(kind => kind.ToString().Contains(Environment.GetEnvironmentVariable("P2PMIGRATE_NAT_KINDS") ?? "", StringComparison.Ordinal))];
        var cells = (from i in Enumerable.Range(0, kinds.Count) from j in Enumerable.Range(0, kinds.Count) where i <= j select (i, j))
            .Where((_, number) => IsInPart(number)).ToArray();
        ConcurrentDictionary<(int, int), Cell> results = [];
        Parallel.ForEach(cells, cell => results[cell] = Run(kinds[cell.i], kinds[cell.j], Number(kinds[cell.i]) * NatKinds.All.Count + Number(kinds[cell.j]), seeds));
        foreach ((int i, int j) in cells)
            output.WriteLine($"{kinds[i],-22} {kinds[j],-22} {NatKinds.Expect(kinds[i], kinds[j]),-12} {results[(i, j)]}");
        output.WriteLine($"birthdays: {Summary(kinds, results, PunchesByBirthday)}");
        output.WriteLine($"all that must be direct: {Summary(kinds, results, (one, other) => NatKinds.Expect(one, other) == Expectation.Direct)}");
        Assert.Empty(cells.SelectMany(cell => results[cell].Failures.Select(failure => $"{kinds[cell.i]} and {kinds[cell.j]}: {failure}")));
    }

    private static Cell Run(NatBehaviour one, NatBehaviour other, int number, int seeds)
    {
        Expectation expected = NatKinds.Expect(one, other);
        Cell cell = new(seeds);
        for (int i = 0; i < seeds; i++)
        {
            ulong seed = ((ulong)number << 32) + (ulong)i;
            (bool isConnected, TimeSpan? direct) = RunOnce(seed, one, other);
            if (direct is { } time)
                cell.Times.Add(time);
            if (!isConnected)
                cell.Failures.Add($"seed {i} is not connected");
            if (direct is null && expected == Expectation.Direct)
                cell.Failures.Add($"seed {i} is not direct");
        }

        return cell;
    }

    private static (bool IsConnected, TimeSpan? Direct) RunOnce(ulong seed, NatBehaviour one, NatBehaviour other)
    {
        SeededGenerator generator = new(seed);
        (NatBehaviour first, NatBehaviour second) = (NatKinds.Vary(one, generator), NatKinds.Vary(other, generator));
        if (generator.Chance(0.5))
            (first, second) = (second, first);
        TimeSpan delay = generator.Between(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(40));
        NatWorldOptions options = new()
        {
            First = [first], Second = [second], Delay = delay, RelayDelay = delay * (1 + generator.Fraction()), Loss = generator.Pick(0, 0.02),
        };
        using NatWorld world = new(generator.Next(), options);
        world.RunUntil(() => world.IsConnected, TimeSpan.FromSeconds(1));
        TimeSpan begun = TimeSpan.FromTicks(world.Now.Nanoseconds / 100);
        StreamId stream = world.Initiator.Open(StreamClass.Control, 1000);
        world.Act();
        bool isDirect = world.RunUntil(() => world.IsDirect, NatKinds.Expect(one, other) == Expectation.Connected ? TimeSpan.FromSeconds(3) : s_limit);
        TimeSpan took = TimeSpan.FromTicks(world.Now.Nanoseconds / 100) - begun;
        bool isConnected = world.RunUntil(() => world.Responder.Incoming.TryGetValue(stream, out var incoming) && incoming.IsFinished, TimeSpan.FromSeconds(5));
        return (isConnected, isDirect ? took : null);
    }

    private static bool PunchesByBirthday(NatBehaviour one, NatBehaviour other) =>
        (IsStrict(one) && IsRandom(other)) || (IsStrict(other) && IsRandom(one));

    private static bool IsStrict(NatBehaviour kind) =>
        (kind.IsTransparent || kind.Mapping == Protocol.Nat.NatMapping.EndpointIndependent) && kind.Filtering == Protocol.Nat.NatFiltering.AddressAndPortDependent;

    private static bool IsRandom(NatBehaviour kind) =>
        kind is { IsTransparent: false, Allocation: Protocol.Nat.PortAllocation.Random, Mapping: not Protocol.Nat.NatMapping.EndpointIndependent };

    private static Cell Summary(IReadOnlyList<NatBehaviour> kinds, ConcurrentDictionary<(int I, int J), Cell> results, Func<NatBehaviour, NatBehaviour, bool> isCounted)
    {
        var counted = results.Where(result => isCounted(kinds[result.Key.I], kinds[result.Key.J])).Select(result => result.Value).ToArray();
        Cell sum = new(counted.Sum(cell => cell.Runs));
        sum.Times.AddRange(counted.SelectMany(cell => cell.Times));
        return sum;
    }

    private static int Number(NatBehaviour kind) => NatKinds.All.TakeWhile(other => other != kind).Count();

    private static bool IsInPart(int number) =>
        Environment.GetEnvironmentVariable("P2PMIGRATE_NAT_PART")?.Split('/') is not [var part, var parts]
        || number % int.Parse(parts, CultureInfo.InvariantCulture) == int.Parse(part, CultureInfo.InvariantCulture) - 1;

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

    /// <summary>What became of the runs of one pair.</summary>
    private sealed class Cell(int runs)
    {
        public int Runs => runs;

        public List<TimeSpan> Times { get; } = [];

        public List<string> Failures { get; } = [];

        public override string ToString() => Times.Count == 0
            ? $"direct 0 of {runs}"
            : $"direct {Times.Count} of {runs}, p50 {At(0.5).TotalMilliseconds:F0} ms, p95 {At(0.95).TotalMilliseconds:F0} ms, longest {At(1).TotalMilliseconds:F0} ms";

        private TimeSpan At(double share) => Times.Order().ElementAt(Math.Max(0, (int)Math.Ceiling(share * Times.Count) - 1));
    }
}
