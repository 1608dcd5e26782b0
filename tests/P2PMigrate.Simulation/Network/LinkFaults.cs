namespace P2PMigrate.Simulation.Network;

/// <summary>What a route does to datagrams, each way. Probabilities are per datagram.</summary>
public sealed record LinkFaults
{
    private const double BytesPerMegabit = 125_000;

    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Added to the delay, evenly from zero up; more than the gap between datagrams reorders them.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Do datagrams leave in the order in which they came, whatever the jitter? Those of <see cref="Reorder"/> still do not.</summary>
    public bool KeepsOrder { get; init; }

    public double Loss { get; init; }

    /// <summary>Losses that come in bursts, on top of <see cref="Loss"/>.</summary>
    public BurstLoss? Bursts { get; init; }

    public double Duplicate { get; init; }

    /// <summary>One bit flips.</summary>
    public double Corrupt { get; init; }

    /// <summary>The datagram waits as long again as it took, plus up to four delays.</summary>
    public double Reorder { get; init; }

    /// <summary>Longer datagrams vanish.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Bytes a second; 0 is unlimited.</summary>
    public double Rate { get; init; }

    /// <summary>Most time that a datagram may wait for its turn when the rate is limited; what comes then is dropped.</summary>
    public TimeSpan Queue { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A route with a bottleneck whose queue holds so many times what the route itself holds.</summary>
    public static LinkFaults Bottleneck(double megabitPerSecond, TimeSpan roundTrip, double queueInRoundTrips = 1) => new()
    {
        Rate = megabitPerSecond * BytesPerMegabit,
        Delay = roundTrip / 2,
        Queue = roundTrip * queueInRoundTrips,
    };

    public static LinkFaults Random(SeededGenerator generator) => new()
    {
        Delay = generator.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(80)),
        Jitter = generator.Chance(0.5) ? generator.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(30)) : TimeSpan.Zero,
        KeepsOrder = generator.Chance(0.3),
        Loss = generator.Chance(0.7) ? generator.Fraction() * 0.2 : 0,
        Bursts = generator.Chance(0.2) ? new(Begin: generator.Fraction() * 0.02, End: 0.1 + generator.Fraction() * 0.5, Loss: 0.3 + generator.Fraction() * 0.7) : null,
        Duplicate = generator.Chance(0.5) ? generator.Fraction() * 0.1 : 0,
        Corrupt = generator.Chance(0.5) ? generator.Fraction() * 0.05 : 0,
        Reorder = generator.Chance(0.5) ? generator.Fraction() * 0.1 : 0,
        Rate = generator.Chance(0.3) ? 50_000 + generator.Fraction() * 5_000_000 : 0,
    };
}

/// <summary>
/// Gilbert and Elliott's model: the route is good, and loses nothing, or bad. <paramref name="Begin"/> and
/// <paramref name="End"/> are the chances, datagram by datagram, that a bad time begins or ends.
/// </summary>
public sealed record BurstLoss(double Begin, double End, double Loss)
{
    /// <summary>The share of datagrams that is lost in the long run.</summary>
    public double Mean => Begin / (Begin + End) * Loss;
}
