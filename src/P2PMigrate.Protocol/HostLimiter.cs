using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// One <see cref="TokenBucket"/> per remote host, whatever its ports (of IPv6 per network of 64 bits, which is what one host gets), and larger
/// ones by <paramref name="shares"/> for each site and area of IPv6, for a bounded number of each. Whose bucket is full again is forgotten;
/// when the table is full of busy ones, new ones have to wait. One owner.
/// </summary>
// spec: RDV-51
internal sealed class HostLimiter(double ratePerSecond, double burst, int capacity, HostShares shares)
{
    private readonly Table _hosts = new(ratePerSecond, burst, capacity);
    private readonly Table _sites = new(shares.PerSite * ratePerSecond, shares.PerSite * burst, capacity);
    private readonly Table _areas = new(shares.PerArea * ratePerSecond, shares.PerArea * burst, capacity);

    /// <summary>May the host of <paramref name="source"/> have this much now?</summary>
    public bool TryTake(Instant now, NetworkAddress source, double amount = 1)
    {
        NetworkAddress host = source.ToNetwork();
        return _hosts.TryTake(now, host, amount)
            && (host.Family != IpFamily.V6 || (_sites.TryTake(now, source.ToSite(), amount) && _areas.TryTake(now, source.ToArea(), amount)));
    }

    private sealed class Table(double ratePerSecond, double burst, int capacity)
    {
        private static readonly TimeSpan s_sweepInterval = TimeSpan.FromSeconds(1);

        private readonly Dictionary<NetworkAddress, TokenBucket> _buckets = [];
        private Instant? _sweptAt;

        public bool TryTake(Instant now, NetworkAddress key, double amount)
        {
            if (_buckets.Count >= capacity && !_buckets.ContainsKey(key) && !TryMakeRoom(now))
            {
                return false;
            }

            ref TokenBucket bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, key, out bool exists);
            if (!exists)
            {
                bucket = new TokenBucket(ratePerSecond, burst);
            }

            return bucket.TryTake(now, amount);
        }

        // Looking through a full table costs more than anything that it protects: not for every stranger that comes.
        private bool TryMakeRoom(Instant now)
        {
            if (now - _sweptAt < s_sweepInterval)
            {
                return false;
            }

            _sweptAt = now;
            foreach (NetworkAddress key in _buckets.Keys.ToArray())
            {
                if (CollectionsMarshal.GetValueRefOrNullRef(_buckets, key).IsFull(now))
                {
                    _buckets.Remove(key);
                }
            }

            return _buckets.Count < capacity;
        }
    }
}
