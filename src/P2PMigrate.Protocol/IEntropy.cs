namespace P2PMigrate.Protocol;

/// <summary>
/// The only source of randomness inside the protocol. The driver gives a cryptographic one; the simulator a seeded one,
/// so that a run can be replayed from its seed.
/// </summary>
public interface IEntropy
{
    /// <summary>Fills <paramref name="destination"/> with bytes that nobody can predict.</summary>
    void Fill(Span<byte> destination);
}
