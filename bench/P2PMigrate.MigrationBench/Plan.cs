namespace P2PMigrate.MigrationBench;

/// <summary>
/// What is to be measured, from a file below <c>bench/plans</c>: every contender with every workload on every link, all within one run, so
/// that the figures of a row were taken on the same machine in the same minutes. A link is what the link emulator understands.
/// </summary>
internal sealed record Plan
{
    public required string Name { get; init; }

    public required string[] Links { get; init; }

    /// <summary>Texts such as <c>redis=200 write=10</c>; see <see cref="Ground.WorkloadText"/>.</summary>
    public required string[] Workloads { get; init; }

    /// <summary>The first is the one that the others are compared with.</summary>
    public required string[] Contenders { get; init; }

    public int Runs { get; init; } = 5;
}
