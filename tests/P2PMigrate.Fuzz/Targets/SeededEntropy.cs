using P2PMigrate.Protocol;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>The same bytes in every run.</summary>
internal sealed class SeededEntropy(int seed) : IEntropy
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> destination) => _random.NextBytes(destination);
}
