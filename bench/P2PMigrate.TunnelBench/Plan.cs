namespace P2PMigrate.TunnelBench;

/// <summary>
/// What is to be measured, from a file below <c>bench/plans</c>: every contender on every link, all within one run, so that the
/// figures of a row were taken on the same machine in the same minutes. A link is <c>veth nic</c>, <c>veth on</c>, <c>veth off</c>, or what
/// the link emulator understands; with <c>, a processor each</c> behind it the two ends do not share one.
/// </summary>
internal sealed record Plan
{
    public required string Name { get; init; }

    public required string[] Links { get; init; }

    /// <summary>Names of throughput contenders; the first is the one that the others are compared with.</summary>
    public string[] Contenders { get; init; } = [];

    /// <summary>Names of behaviours: measurements of one thing that happens to a tunnel.</summary>
    public string[] Behaviours { get; init; } = [];

    public double Seconds { get; init; } = 5;

    /// <summary>Of the beginning, how much is not measured, where a contender allows it.</summary>
    public double Skip { get; init; }

    public int Runs { get; init; } = 5;
}
