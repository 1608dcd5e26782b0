using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// How many of a thing each remote host has, and of IPv6 each site and each area, which may have more by <paramref name="shares"/>, but not
/// more than half of the <paramref name="max"/> that all may have. One owner.
/// </summary>
// spec: RDV-51
internal sealed class HostCounts(int maxPerHost, int max, HostShares shares)
{
    private readonly Level _hosts = new(maxPerHost);
    private readonly Level _sites = new(PartOf(maxPerHost, max, shares.PerSite));
    private readonly Level _areas = new(PartOf(maxPerHost, max, shares.PerArea));

    /// <summary>May the host of <paramref name="source"/> have one more?</summary>
    public bool HasRoom(NetworkAddress source)
    {
        NetworkAddress host = source.ToNetwork();
        return _hosts.HasRoom(host) && (host.Family != IpFamily.V6 || (_sites.HasRoom(source.ToSite()) && _areas.HasRoom(source.ToArea())));
    }

    /// <summary>It has one more.</summary>
    public void Add(NetworkAddress source) => AddTo(source, 1);

    /// <summary>One of those that were added is gone.</summary>
    public void Remove(NetworkAddress source) => AddTo(source, -1);

    private static long PartOf(int maxPerHost, int max, int hosts) => Math.Min((long)hosts * maxPerHost, Math.Max(maxPerHost, max / 2));

    private void AddTo(NetworkAddress source, int change)
    {
        NetworkAddress host = source.ToNetwork();
        _hosts.Add(host, change);
        if (host.Family == IpFamily.V6)
        {
            _sites.Add(source.ToSite(), change);
            _areas.Add(source.ToArea(), change);
        }
    }

    private sealed class Level(long max)
    {
        private readonly Dictionary<NetworkAddress, int> _counts = [];

        public bool HasRoom(NetworkAddress key) => _counts.GetValueOrDefault(key) < max;

        public void Add(NetworkAddress key, int change)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out _);
            count += change;
            if (count == 0)
            {
                _counts.Remove(key);
            }
        }
    }
}
