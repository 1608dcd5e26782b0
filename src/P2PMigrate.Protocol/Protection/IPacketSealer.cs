namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// Protects the packets of one direction. One owner, no locks, no allocation per packet. A packet number is never
/// sealed twice on the same path; the caller guarantees it, implementations assert it in debug builds.
/// </summary>
public interface IPacketSealer : IDisposable
{
    /// <summary>Bytes that sealing adds to the plaintext.</summary>
    int TagLength { get; }

    /// <summary>
    /// Seals <paramref name="plaintext"/> into <paramref name="ciphertext"/>, which is exactly
    /// <see cref="TagLength"/> bytes longer. <paramref name="header"/> is authenticated, not hidden. The buffers do not overlap.
    /// </summary>
    void Seal(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext);
}

/// <summary>Opens what the peer's <see cref="IPacketSealer"/> sealed. One owner, no locks, no allocation per packet.</summary>
public interface IPacketOpener : IDisposable
{
    /// <summary>Bytes by which the ciphertext is longer than the plaintext.</summary>
    int TagLength { get; }

    /// <summary>
    /// Opens <paramref name="ciphertext"/> into <paramref name="plaintext"/>, which is exactly <see cref="TagLength"/>
    /// bytes shorter. Returns false, and leaves rubbish in <paramref name="plaintext"/>, for anything not sealed by the peer.
    /// </summary>
    bool TryOpen(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext);
}
