using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// Datagrams that belong to no session: handshake messages and their answers. Few and small, so they may allocate; when
/// too many wait, new ones are dropped, as the network could have done. Loop only.
/// </summary>
internal sealed class StrayDatagrams(IDatagramSocket socket)
{
    /// <summary>Datagrams that wait at most.</summary>
    public const int MaxCount = 256;

    private readonly Queue<(byte[] Bytes, NetworkAddress Remote)> _waiting = new();

    /// <summary>Copies <paramref name="datagram"/>; it is sent soon.</summary>
    public void Add(ReadOnlySpan<byte> datagram, NetworkAddress remote)
    {
        if (_waiting.Count < MaxCount && socket.Reaches(remote))
            _waiting.Enqueue((datagram.ToArray(), remote));
    }

    /// <summary>Moves as many as fit into <paramref name="batch"/>.</summary>
    public void MoveTo(TransmitBatch batch)
    {
        while (!batch.IsFull && _waiting.TryDequeue(out (byte[] Bytes, NetworkAddress Remote) next))
        {
            next.Bytes.CopyTo(batch.Free);
            batch.Add(next.Bytes.Length, next.Remote);
        }
    }
}
