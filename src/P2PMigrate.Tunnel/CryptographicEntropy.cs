using System.Security.Cryptography;
using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel;

/// <summary>The operating system's generator. Any thread.</summary>
public sealed class CryptographicEntropy : IEntropy
{
    /// <summary>The only one that is needed.</summary>
    public static readonly CryptographicEntropy Instance = new();

    private CryptographicEntropy()
    {
    }

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
