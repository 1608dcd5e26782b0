namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The legs that this peer got from its server, the latest ones: only for these it says that its address is theirs. Whoever asks
/// for another leg asks about somebody else's, whose owner would have the server send here what nobody wanted.
/// </summary>
/// <remarks>spec: RLY-05.</remarks>
internal sealed class ClientLegs
{
    /// <summary>Legs that are remembered; one that was forgotten is learned again by Join.</summary>
    // spec: CONST-94
    public const int Capacity = 4096;

    private readonly Dictionary<RelayLegId, LinkedListNode<RelayLegId>> _nodes = [];
    private readonly LinkedList<RelayLegId> _byAge = [];

    /// <summary>The server gave it, again or for the first time.</summary>
    public void Learn(RelayLegId leg)
    {
        if (leg == RelayLegId.None)
        {
            return;
        }

        if (_nodes.Remove(leg, out LinkedListNode<RelayLegId>? known))
        {
            _byAge.Remove(known);
        }
        else if (_nodes.Count >= Capacity)
        {
            _nodes.Remove(_byAge.First!.Value);
            _byAge.RemoveFirst();
        }

        _nodes[leg] = _byAge.AddLast(leg);
    }

    /// <summary>Is it this peer's?</summary>
    public bool Has(RelayLegId leg) => _nodes.ContainsKey(leg);
}
