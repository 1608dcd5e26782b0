using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// How many of a thing each remote host has, and each site of IPv6, which may have as many as <see cref="HostLimiter.HostsPerSite"/> hosts.
/// One owner.
/// </summary>
// spec: RDV-51
internal sealed class HostCounts(int maxPerHost)
{
    private readonly Dictionary<NetworkAddress, int> _byHost = [];
    private readonly Dictionary<NetworkAddress, int> _bySite = [];

    /// <summary>May the host of <paramref name="source"/> have one more?</summary>
    public bool HasRoom(NetworkAddress source)
    {
        NetworkAddress host = source.ToNetwork();
        return _byHost.GetValueOrDefault(host) < maxPerHost
            && (host.Family != IpFamily.V6 || _bySite.GetValueOrDefault(source.ToSite()) < (long)HostLimiter.HostsPerSite * maxPerHost);
    }

    /// <summary>It has one more.</summary>
    public void Add(NetworkAddress source)
    {
        NetworkAddress host = source.ToNetwork();
        CollectionsMarshal.GetValueRefOrAddDefault(_byHost, host, out _)++;
        if (host.Family == IpFamily.V6)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_bySite, source.ToSite(), out _)++;
        }
    }

    /// <summary>One of those that were added is gone.</summary>
    public void Remove(NetworkAddress source)
    {
        NetworkAddress host = source.ToNetwork();
        RemoveOne(_byHost, host);
        if (host.Family == IpFamily.V6)
        {
            RemoveOne(_bySite, source.ToSite());
        }
    }

    private static void RemoveOne(Dictionary<NetworkAddress, int> counts, NetworkAddress key)
    {
        if (--CollectionsMarshal.GetValueRefOrNullRef(counts, key) == 0)
        {
            counts.Remove(key);
        }
    }
}
