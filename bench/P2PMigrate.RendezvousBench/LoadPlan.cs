namespace P2PMigrate.RendezvousBench;

/// <summary>What is asked of a server.</summary>
public sealed record LoadPlan
{
    /// <summary>Peers that register and stay.</summary>
    public int Peers { get; init; } = 10_000;

    /// <summary>Registrations begun in each second.</summary>
    public int PeersPerSecond { get; init; } = 1_000;

    /// <summary>How long they stay before the measurement of offers.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>The pause between two refreshes of a peer.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Peers that ask for others and do not register.</summary>
    public int Initiators { get; init; } = 500;

    /// <summary>Offers begun in each second, one measurement after the other.</summary>
    public IReadOnlyList<int> OfferRates { get; init; } = [250, 1_000, 2_000];

    /// <summary>How long each of them lasts.</summary>
    public TimeSpan OfferTime { get; init; } = TimeSpan.FromSeconds(8);
}
