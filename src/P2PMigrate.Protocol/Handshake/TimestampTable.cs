using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The greatest timestamp that each peer has shown: a message 1 that is not younger is a recording. Only peers with a
/// ticket get here, so the table is not for strangers to fill; the peer not heard for longest makes room. One owner.
/// </summary>
/// <remarks>spec: HS-26.</remarks>
internal sealed class TimestampTable
{
    /// <summary>Peers remembered at a time.</summary>
    public const int Capacity = 1024;

    private readonly Dictionary<PeerId, LinkedListNode<(PeerId Peer, ulong Greatest)>> _byPeer = [];
    private readonly LinkedList<(PeerId Peer, ulong Greatest)> _byAge = [];

    /// <summary>Accepts and remembers a timestamp greater than all before it.</summary>
    public bool TryAdvance(PeerId peer, ulong timestamp)
    {
        if (_byPeer.Remove(peer, out LinkedListNode<(PeerId Peer, ulong Greatest)>? known))
        {
            _byAge.Remove(known);
        }
        else if (_byPeer.Count == Capacity)
        {
            _byPeer.Remove(_byAge.First!.Value.Peer);
            _byAge.RemoveFirst();
        }

        ulong greatest = known?.Value.Greatest ?? 0;
        _byPeer[peer] = _byAge.AddLast((peer, Math.Max(greatest, timestamp)));
        return known is null || timestamp > greatest;
    }
}
