using System.Buffers.Binary;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Simulation.Peers;

/// <summary>
/// Keys that hide nothing and cost little, but behave like real ones: every changed bit is found, another epoch's key
/// does not fit, and sealing a packet number of a label that is not larger than the one before ends the run.
/// </summary>
public sealed class CheckedKeys(ulong sendSecret, ulong receiveSecret) : IPacketKeySource
{
    private ulong _epoch;

    public PacketKeys Next()
    {
        ulong salt = _epoch++ * 0x9E3779B97F4A7C15;
        return new(new CheckedProtection(sendSecret ^ salt), new CheckedProtection(receiveSecret ^ salt));
    }

    public void Dispose()
    {
    }
}

internal sealed class CheckedProtection(ulong key) : IPacketSealer, IPacketOpener
{
    private const int Tag = 16;
    private readonly ulong[] _next = new ulong[byte.MaxValue + 1];

    int IPacketSealer.TagLength => Tag;

    int IPacketOpener.TagLength => Tag;

    public void Seal(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        if (packetNumber < _next[pathId])
            throw new InvalidOperationException($"Packet number {packetNumber} of label {pathId} was sealed after {_next[pathId] - 1}.");
        _next[pathId] = packetNumber + 1;
        if (ciphertext.Length != plaintext.Length + Tag)
            throw new InvalidOperationException("The ciphertext has to be longer by the tag.");
        plaintext.CopyTo(ciphertext);
        WriteTag(pathId, packetNumber, header, plaintext, ciphertext[plaintext.Length..]);
    }

    public bool TryOpen(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Span<byte> tag = stackalloc byte[Tag];
        WriteTag(pathId, packetNumber, header, ciphertext[..^Tag], tag);
        ciphertext[..^Tag].CopyTo(plaintext);
        return tag.SequenceEqual(ciphertext[^Tag..]);
    }

    public void Dispose()
    {
    }

    private void WriteTag(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> tag)
    {
        ulong hash = Mix(Mix(key, pathId), packetNumber);
        hash = Absorb(Absorb(hash, header), plaintext);
        BinaryPrimitives.WriteUInt64LittleEndian(tag, hash);
        BinaryPrimitives.WriteUInt64LittleEndian(tag[8..], Mix(hash, (ulong)plaintext.Length));
    }

    private static ulong Absorb(ulong hash, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte value in bytes)
            hash = Mix(hash, value);
        return hash;
    }

    private static ulong Mix(ulong hash, ulong word)
    {
        ulong mixed = (hash ^ word) * 0x9FB21C651E98DF25;
        return mixed ^ mixed >> 32;
    }
}
