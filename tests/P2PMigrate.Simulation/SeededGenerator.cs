namespace P2PMigrate.Simulation;

/// <summary>
/// SplitMix64: the simulator's own generator, so that a seed means the same run on every runtime. Everything random in a
/// run comes from one of these, forked from the run's seed.
/// </summary>
public sealed class SeededGenerator(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong mixed = (_state ^ _state >> 30) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
        return mixed ^ mixed >> 31;
    }

    /// <summary>From <paramref name="low"/> to before <paramref name="high"/>.</summary>
    public int Between(int low, int high) => low + (int)(Next() % (ulong)(high - low));

    /// <summary>From 0 to before 1.</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Fraction() < probability;

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[Between(0, choices.Length)];

    public TimeSpan Between(TimeSpan low, TimeSpan high) => low + (high - low) * Fraction();

    /// <summary>Another generator, independent of how much this one is used later.</summary>
    public SeededGenerator Fork() => new(Next());

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte value in bytes)
            value = (byte)Next();
    }
}

/// <summary>Entropy that a seed repeats.</summary>
public sealed class SeededEntropy(SeededGenerator generator) : Protocol.IEntropy
{
    public void Fill(Span<byte> destination) => generator.Fill(destination);
}
