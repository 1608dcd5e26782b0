using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>One direction of a route: decides for each datagram when it arrives, if at all, and in what state.</summary>
public sealed class Link(SeededGenerator generator)
{
    private Instant _lastArrival;
    private bool _isBad;

    public LinkFaults Faults { get; set; } = new();

    public bool IsUp { get; set; } = true;

    /// <summary>Where datagrams wait when the rate is limited; several links may share one.</summary>
    public Bottleneck Bottleneck { get; set; } = new();

    /// <summary>Datagrams that went in.</summary>
    public long Sent { get; private set; }

    /// <summary>Bytes that went in.</summary>
    public long SentBytes { get; private set; }

    /// <summary>A datagram goes in; adds when it comes out, and how.</summary>
    public void Carry(Instant now, byte[] datagram, List<(Instant At, byte[] Datagram)> arrivals)
    {
        Sent++;
        SentBytes += datagram.Length;
        if (!IsUp || datagram.Length > Faults.Mtu || IsLost() || !Bottleneck.TryQueue(now, datagram.Length, Faults, out Instant through))
            return;
        arrivals.Add((ArrivalOf(through), Damage(datagram)));
        if (generator.Chance(Faults.Duplicate))
            arrivals.Add((ArrivalOf(through), datagram));
    }

    private bool IsLost()
    {
        if (Faults.Bursts is { } bursts)
        {
            _isBad = _isBad ? !generator.Chance(bursts.End) : generator.Chance(bursts.Begin);
            if (_isBad && generator.Chance(bursts.Loss))
                return true;
        }

        return generator.Chance(Faults.Loss);
    }

    private Instant ArrivalOf(Instant through)
    {
        TimeSpan latency = Faults.Delay + Faults.Jitter * generator.Fraction();
        if (generator.Chance(Faults.Reorder))
            return through + latency * 2 + Faults.Delay * 4 * generator.Fraction();
        if (Faults.KeepsOrder)
            return _lastArrival = Instant.Max(_lastArrival, through + latency);
        return through + latency;
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
