using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Protocol.Connection;

/// <summary>Gives the keys of a session, epoch after epoch; both peers get the same ones in the same order.</summary>
public interface IPacketKeySource : IDisposable
{
    /// <summary>The keys of the next epoch; the first call gives epoch 0. The caller owns and disposes them.</summary>
    PacketKeys Next();
}

/// <summary>What seals our packets and opens the peer's during one epoch.</summary>
public sealed record PacketKeys(IPacketSealer Sealer, IPacketOpener Opener) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Sealer.Dispose();
        Opener.Dispose();
    }
}
