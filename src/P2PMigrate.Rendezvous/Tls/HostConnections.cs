using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Rendezvous.Tls;

/// <summary>Counts connections, all, by host, by site and by area, and names them: a number that no other connection of the host has. Any thread.</summary>
/// <remarks>spec: RLY-13, RLY-16, RDV-51.</remarks>
internal sealed class HostConnections(int max, int maxPerHost, int maxPerSite, int maxPerArea)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NetworkAddress, HashSet<ushort>> _byHost = [];
    private readonly Dictionary<NetworkAddress, int> _bySite = [];
    private readonly Dictionary<NetworkAddress, int> _byArea = [];
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
            NetworkAddress site = remote.ToSite(), area = remote.ToArea();
            int ofSite = _bySite.GetValueOrDefault(site), ofArea = _byArea.GetValueOrDefault(area);
            if (_count >= max || numbers.Count >= maxPerHost || ofSite >= maxPerSite || ofArea >= maxPerArea)
                return false;
            do
                _last++; // The one before is the last that is given again: what is still on its way to it must not reach another.
            while (_last == 0 || numbers.Contains(_last));
            numbers.Add(_last);
            _byHost[host] = numbers;
            (_bySite[site], _byArea[area]) = (ofSite + 1, ofArea + 1);
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
            RemoveOne(_bySite, remote.ToSite());
            RemoveOne(_byArea, remote.ToArea());
            if (numbers.Count == 0)
                _byHost.Remove(host);
        }
    }

    private static void RemoveOne(Dictionary<NetworkAddress, int> counts, NetworkAddress key)
    {
        if (--CollectionsMarshal.GetValueRefOrNullRef(counts, key) == 0)
            counts.Remove(key);
    }
}
