using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// One <see cref="TokenBucket"/> per remote host, whatever its ports (of IPv6 per network of 64 bits, which is what one host gets), for a bounded number of hosts. Hosts whose bucket is
/// full again are forgotten; when the table is full of busy ones, new hosts have to wait. One owner.
/// </summary>
internal sealed class HostLimiter(double ratePerSecond, double burst, int capacity)
{
    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<NetworkAddress, TokenBucket> _buckets = [];
    private Instant? _sweptAt;

    /// <summary>May the host of <paramref name="source"/> have this much now?</summary>
    public bool TryTake(Instant now, NetworkAddress source, double amount = 1)
    {
        NetworkAddress host = source.ToNetwork();
        if (_buckets.Count >= capacity && !_buckets.ContainsKey(host) && !TryMakeRoom(now))
        {
            return false;
        }

        ref TokenBucket bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, host, out bool exists);
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
        foreach (NetworkAddress host in _buckets.Keys.ToArray())
        {
            if (CollectionsMarshal.GetValueRefOrNullRef(_buckets, host).IsFull(now))
            {
                _buckets.Remove(host);
            }
        }

        return _buckets.Count < capacity;
    }
}
