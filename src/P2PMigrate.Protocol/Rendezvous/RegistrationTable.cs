using System.Runtime.InteropServices;
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
internal sealed class RegistrationTable(int capacity, int capacityPerHost)
{
    private readonly Dictionary<NetworkAddress, int> _countByHost = [];
    private readonly Dictionary<PeerId, Registration> _byPeer = [];
    private readonly Dictionary<ulong, Registration> _byId = [];

    /// <summary>Peers in the table, expired ones that were not swept yet included.</summary>
    public int Count => _byPeer.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<Registration> All => _byPeer.Values;

    /// <summary>Adds or replaces; false when the table is full, or has as many of that host as one may have.</summary>
    // spec: RDV-48
    public bool TryAdd(Registration registration)
    {
        Registration? old = _byPeer.GetValueOrDefault(registration.Peer);
        NetworkAddress host = registration.Address.ToNetwork();
        int ofHost = _countByHost.GetValueOrDefault(host);
        if (old is null ? _byPeer.Count >= capacity || ofHost >= capacityPerHost : old.Address.ToNetwork() != host && ofHost >= capacityPerHost)
        {
            return false;
        }

        if (old is not null)
        {
            Remove(old);
        }

        CollectionsMarshal.GetValueRefOrAddDefault(_countByHost, host, out _)++;
        _byPeer[registration.Peer] = registration;
        _byId[registration.Id] = registration;
        return true;
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
        NetworkAddress host = registration.Address.ToNetwork();
        if (--CollectionsMarshal.GetValueRefOrNullRef(_countByHost, host) == 0)
        {
            _countByHost.Remove(host);
        }
    }

    /// <summary>Forgets all that have expired.</summary>
    public void Sweep(Instant now)
    {
        foreach (Registration expired in _byId.Values.Where(registration => registration.ExpiresAt <= now).ToArray())
        {
            Remove(expired);
        }
    }
}
