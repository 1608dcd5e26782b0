using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Rendezvous.Tls;

/// <summary>Counts connections, all, by host and by site, and names them: a number that no other connection of the host has. Any thread.</summary>
/// <remarks>spec: RLY-13, RLY-16, RDV-51.</remarks>
internal sealed class HostConnections(int max, int maxPerHost, int maxPerSite)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NetworkAddress, HashSet<ushort>> _byHost = [];
    private readonly Dictionary<NetworkAddress, int> _bySite = [];
    private ushort _last;
    private int _count;

    /// <summary>Connections that are there.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>Takes a place for a connection from <paramref name="remote"/>; false when a limit is reached.</summary>
    public bool TryTake(NetworkAddress remote, out NetworkAddress name)
    {
        lock (_lock)
        {
            name = default;
            NetworkAddress host = remote.ToNetwork();
            HashSet<ushort> numbers = _byHost.GetValueOrDefault(host) ?? [];
            NetworkAddress site = remote.ToSite();
            int ofSite = _bySite.GetValueOrDefault(site);
            if (_count >= max || numbers.Count >= maxPerHost || ofSite >= maxPerSite)
                return false;
            do
                _last++; // The one before is the last that is given again: what is still on its way to it must not reach another.
            while (_last == 0 || numbers.Contains(_last));
            numbers.Add(_last);
            _byHost[host] = numbers;
            _bySite[site] = ofSite + 1;
            _count++;
            name = NetworkAddress.ForStream(remote, _last);
            return true;
        }
    }

    /// <summary>Gives the place back.</summary>
    public void Return(NetworkAddress remote, NetworkAddress name)
    {
        lock (_lock)
        {
            NetworkAddress host = remote.ToNetwork();
            if (!_byHost.TryGetValue(host, out HashSet<ushort>? numbers) || !numbers.Remove(name.Port))
                return;
            _count--;
            NetworkAddress site = remote.ToSite();
            if (--CollectionsMarshal.GetValueRefOrNullRef(_bySite, site) == 0)
                _bySite.Remove(site);
            if (numbers.Count == 0)
                _byHost.Remove(host);
        }
    }
}
