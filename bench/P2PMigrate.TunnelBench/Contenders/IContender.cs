using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>What one run carried: payload bytes in the measured time, and what both ends used for how many bytes in all.</summary>
internal readonly record struct Sample(double BytesPerSecond, double CpuSecondsPerGB);

/// <summary>Something that carries bytes from the near end to the far end as fast as it can.</summary>
internal interface IContender
{
    string Name { get; }

    /// <summary>Why it cannot run here; null when it can.</summary>
    string? WhyNot { get; }

    Task<Sample> RunAsync(BenchNetwork network, TimeSpan time, TimeSpan skip, CancellationToken cancellationToken);
}
