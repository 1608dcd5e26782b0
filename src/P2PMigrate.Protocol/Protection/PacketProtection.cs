using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// One key and one nonce base: the protection of one direction in one epoch. The nonce of a packet is the base, with the
/// path id xored into its first four bytes and the packet number into the eight after them.
/// </summary>
/// <remarks>spec: HS-31.</remarks>
internal sealed class PacketProtection : IPacketSealer, IPacketOpener
{
    private readonly PacketCipher _cipher;
    private readonly byte[] _nonce;
    private readonly byte _pathBase;
    private readonly ulong _numberBase;
    private ulong _sealsLeft;
    private ulong _forgeriesLeft;

    /// <summary>Takes the raw key and the nonce base as derived by <see cref="KeySchedule"/>.</summary>
    public PacketProtection(ProtectionSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonceBase)
        : this(suite, key, nonceBase, KeyLimits.MaxSealedPackets(suite), KeyLimits.MaxForgedPackets(suite))
    {
    }

    /// <summary>The same with other limits: tests do not seal millions of packets.</summary>
    internal PacketProtection(ProtectionSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonceBase, ulong maxSealed, ulong maxForged)
    {
        _cipher = new PacketCipher(suite, key);
        _nonce = nonceBase.ToArray();
        _pathBase = _nonce[0];
        _numberBase = BinaryPrimitives.ReadUInt64LittleEndian(_nonce.AsSpan(sizeof(uint)));
        _sealsLeft = maxSealed;
        _forgeriesLeft = maxForged;
    }

    /// <inheritdoc cref="IPacketSealer.TagLength"/>
    public int TagLength => _cipher.TagLength;

    /// <inheritdoc/>
    public void Seal(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
#if DEBUG
        AssertNeverSealed(pathId, packetNumber);
#endif
        if (_sealsLeft == 0)
        {
            throw new InvalidOperationException("A key reached its limit: the connection should have moved to the next epoch."); // spec: HS-33
        }

        _sealsLeft--;
        _cipher.Seal(Nonce(pathId, packetNumber), header, plaintext, ciphertext);
    }

    /// <inheritdoc/>
    public bool TryOpen(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        if (ciphertext.Length < TagLength || _forgeriesLeft == 0)
        {
            return false; // spec: HS-34
        }

        bool isAuthentic = _cipher.TryOpen(Nonce(pathId, packetNumber), header, ciphertext, plaintext);
        _forgeriesLeft -= isAuthentic ? 0u : 1u;
        return isAuthentic;
    }

    /// <inheritdoc/>
    public void Dispose() => _cipher.Dispose();

    private ReadOnlySpan<byte> Nonce(byte pathId, ulong packetNumber)
    {
        _nonce[0] = (byte)(_pathBase ^ pathId);
        BinaryPrimitives.WriteUInt64LittleEndian(_nonce.AsSpan(sizeof(uint)), _numberBase ^ packetNumber);
        return _nonce;
    }

#if DEBUG
    private readonly ulong[] _nextNumbers = new ulong[byte.MaxValue + 1];

    private void AssertNeverSealed(byte pathId, ulong packetNumber)
    {
        System.Diagnostics.Debug.Assert(packetNumber >= _nextNumbers[pathId], "A packet number must grow on its path: a nonce would be used twice.");
        _nextNumbers[pathId] = packetNumber + 1;
    }
#endif
}
