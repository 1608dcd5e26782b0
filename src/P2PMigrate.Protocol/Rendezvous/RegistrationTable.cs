using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>A registered peer: where it is, and the key that its refreshes are sealed with.</summary>
internal sealed record Registration(ulong Id, PeerId Peer, NetworkAddress Address, RegistrationKey Key, double FleetOffersPerSecond)
{
    private TokenBucket _fleetOffers = new(FleetOffersPerSecond, FleetOffersPerSecond);

    /// <summary>The greatest counter that a refresh showed.</summary>
    public ulong Counter { get; set; }

    /// <summary>From then on it is forgotten.</summary>
    public Instant ExpiresAt { get; set; }

    /// <summary>The request that made it; one that comes again makes no other.</summary>
    // spec: RDV-49
    public TransactionId Transaction { get; init; }

    /// <summary>When the directory of the fleet was told.</summary>
    public Instant AnnouncedAt { get; set; }

    /// <summary>May another server's offer go there now?</summary>
    // spec: RDV-43
    public bool TryTakeFleetOffer(Instant now) => _fleetOffers.TryTake(now);
}

/// <summary>The peers that are there, by peer id and by registration id. The latest registration of a peer wins.</summary>
/// <remarks>spec: RDV-07.</remarks>
internal sealed class RegistrationTable(int capacity, int capacityPerHost, HostShares shares)
{
    private readonly HostCounts _hosts = new(capacityPerHost, capacity, shares);
    private readonly Dictionary<PeerId, Registration> _byPeer = [];
    private readonly Dictionary<ulong, Registration> _byId = [];

    /// <summary>Peers in the table, expired ones that were not swept yet included.</summary>
    public int Count => _byPeer.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<Registration> All => _byPeer.Values;

    /// <summary>Adds or replaces; false when the table is full, or has as many of that host as one may have.</summary>
    // spec: RDV-48, RDV-51
    public bool TryAdd(Registration registration)
    {
        Registration? old = _byPeer.GetValueOrDefault(registration.Peer);
        if (old is not null)
        {
            Remove(old);
        }

        bool hasRoom = _byPeer.Count < capacity && _hosts.HasRoom(registration.Address);
        if ((hasRoom ? registration : old) is { } kept)
        {
            Add(kept);
        }

        return hasRoom;
    }

    /// <summary>The registration of a peer, if it is there now.</summary>
    public Registration? Find(Instant now, PeerId peer) =>
        _byPeer.TryGetValue(peer, out Registration? registration) && now < registration.ExpiresAt ? registration : null;

    /// <summary>The registration with that id, if it is there now.</summary>
    public Registration? Find(Instant now, ulong id) =>
        _byId.TryGetValue(id, out Registration? registration) && now < registration.ExpiresAt ? registration : null;

    /// <summary>Forgets one.</summary>
    public void Remove(Registration registration)
    {
        _byPeer.Remove(registration.Peer);
        _byId.Remove(registration.Id);
        _hosts.Remove(registration.Address);
    }

    /// <summary>Forgets all that have expired.</summary>
    public void Sweep(Instant now)
    {
        foreach (Registration expired in _byId.Values.Where(registration => registration.ExpiresAt <= now).ToArray())
        {
            Remove(expired);
        }
    }

    private void Add(Registration registration)
    {
        _hosts.Add(registration.Address);
        _byPeer[registration.Peer] = registration;
        _byId[registration.Id] = registration;
    }
}
