using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>Keys that open everything: the attacker of these targets is a peer who has them.</summary>
internal sealed class OpenKeys : IPacketKeySource
{
    public PacketKeys Next() => new(new Protection(), new Protection());

    public void Dispose()
    {
    }

    private sealed class Protection : IPacketSealer, IPacketOpener
    {
        int IPacketSealer.TagLength => 0;

        int IPacketOpener.TagLength => 0;

        public void Seal(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext) =>
            plaintext.CopyTo(ciphertext);

        public bool TryOpen(byte pathId, ulong packetNumber, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
        {
            ciphertext.CopyTo(plaintext);
            return true;
        }

        public void Dispose()
        {
        }
    }
}
