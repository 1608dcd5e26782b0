namespace P2PMigrate.Simulation.Network;

/// <summary>What a route does to datagrams, each way. Probabilities are per datagram.</summary>
public sealed record LinkFaults
{
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Added to the delay, evenly from zero up; more than the gap between datagrams reorders them.</summary>
    public TimeSpan Jitter { get; init; }

    public double Loss { get; init; }

    public double Duplicate { get; init; }

    /// <summary>One bit flips.</summary>
    public double Corrupt { get; init; }

    /// <summary>The datagram waits as long again as it took, plus up to four delays.</summary>
    public double Reorder { get; init; }

    /// <summary>Longer datagrams vanish.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Bytes a second; 0 is unlimited.</summary>
    public double Rate { get; init; }

    /// <summary>Most time that a datagram may wait for its turn when the rate is limited.</summary>
    public TimeSpan Queue { get; init; } = TimeSpan.FromMilliseconds(100);

    public static LinkFaults Random(SeededGenerator generator) => new()
    {
        Delay = generator.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(80)),
        Jitter = generator.Chance(0.5) ? generator.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(30)) : TimeSpan.Zero,
        Loss = generator.Chance(0.7) ? generator.Fraction() * 0.2 : 0,
        Duplicate = generator.Chance(0.5) ? generator.Fraction() * 0.1 : 0,
        Corrupt = generator.Chance(0.5) ? generator.Fraction() * 0.05 : 0,
        Reorder = generator.Chance(0.5) ? generator.Fraction() * 0.1 : 0,
        Rate = generator.Chance(0.3) ? 50_000 + generator.Fraction() * 5_000_000 : 0,
    };
}
