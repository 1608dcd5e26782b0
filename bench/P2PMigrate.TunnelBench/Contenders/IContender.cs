using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>Something that carries bytes from the near end to the far end as fast as it can.</summary>
internal interface IContender
{
    string Name { get; }

    /// <summary>Why it cannot run here; null when it can.</summary>
    string? WhyNot { get; }

    /// <summary>Starts its programs, sends for <paramref name="time"/>, ends; how many bytes of payload its receiver counted from first to last.</summary>
    Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken);
}
