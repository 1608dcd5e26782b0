using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>One direction of a route: decides for each datagram when it arrives, if at all, and in what state.</summary>
public sealed class Link(SeededGenerator generator)
{
    private Instant _freeAt;

    public LinkFaults Faults { get; set; } = new();

    public bool IsUp { get; set; } = true;

    /// <summary>Datagrams that went in.</summary>
    public long Sent { get; private set; }

    /// <summary>Bytes that went in.</summary>
    public long SentBytes { get; private set; }

    public IEnumerable<(Instant At, byte[] Datagram)> Carry(Instant now, byte[] datagram)
    {
        Sent++;
        SentBytes += datagram.Length;
        if (!IsUp || datagram.Length > Faults.Mtu || generator.Chance(Faults.Loss) || !TryQueue(now, datagram.Length, out Instant start))
            yield break;
        yield return (start + Latency(), Damage(datagram));
        if (generator.Chance(Faults.Duplicate))
            yield return (start + Latency(), datagram);
    }

    private bool TryQueue(Instant now, int length, out Instant start)
    {
        start = Instant.Max(now, _freeAt);
        if (Faults.Rate <= 0)
        {
            start = now;
            return true;
        }

        if (start - now > Faults.Queue)
            return false;
        start += TimeSpan.FromSeconds(length / Faults.Rate);
        _freeAt = start;
        return true;
    }

    private TimeSpan Latency()
    {
        TimeSpan latency = Faults.Delay + Faults.Jitter * generator.Fraction();
        return generator.Chance(Faults.Reorder) ? latency * 2 + Faults.Delay * 4 * generator.Fraction() : latency;
    }

    private byte[] Damage(byte[] datagram)
    {
        if (!generator.Chance(Faults.Corrupt))
            return datagram;
        byte[] damaged = [.. datagram];
        damaged[generator.Between(0, damaged.Length)] ^= (byte)(1 << generator.Between(0, 8));
        return damaged;
    }
}
