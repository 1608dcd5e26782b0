using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The greatest timestamps that each peer has shown with each ticket: a message 1 with one of them, or with one that may have
/// been forgotten, is a recording. Only peers with a ticket get here, so the table is not for strangers to fill; what was not
/// used for longest makes room. One owner.
/// </summary>
/// <remarks>spec: HS-26, HS-29.</remarks>
internal sealed class TimestampTable
{
    /// <summary>Peers, with one ticket each, that are remembered at a time.</summary>
    public const int Capacity = 1024;

    private readonly Dictionary<(PeerId Peer, TicketId Ticket), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byAge = [];

    /// <summary>Accepts and remembers a timestamp that was not accepted before.</summary>
    public bool TryAccept(PeerId peer, TicketId ticket, ulong timestamp)
    {
        if (_entries.TryGetValue((peer, ticket), out LinkedListNode<Entry>? node))
        {
            _byAge.Remove(node);
        }
        else
        {
            MakeRoom();
            node = new(new Entry((peer, ticket)));
            _entries.Add((peer, ticket), node);
        }

        _byAge.AddLast(node);
        return node.Value.Timestamps.TryAccept(timestamp);
    }

    private void MakeRoom()
    {
        if (_entries.Count < Capacity)
        {
            return;
        }

        _entries.Remove(_byAge.First!.Value.Key);
        _byAge.RemoveFirst();
    }

    private sealed class Entry((PeerId Peer, TicketId Ticket) key)
    {
        public (PeerId Peer, TicketId Ticket) Key => key;

        public GreatestTimestamps Timestamps { get; } = new();
    }
}
