using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>A datagram comes out of a link. <paramref name="DamagedBit"/> counts from its first byte's lowest bit; -1 is none.</summary>
public readonly record struct LinkArrival(Instant At, int DamagedBit)
{
    /// <summary>Flips the bit that the way has flipped.</summary>
    public void Damage(Span<byte> datagram)
    {
        if (DamagedBit >= 0)
            datagram[DamagedBit >> 3] ^= (byte)(1 << (DamagedBit & 7));
    }
}

/// <summary>
/// One direction of a route, without the datagrams themselves: decides for each when it arrives, if at all, and in what
/// state. The same decisions serve the simulation and the link emulator of the lab.
/// </summary>
public sealed class LinkModel(SeededGenerator generator)
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

    /// <summary>Datagrams that chance took, in bursts or not.</summary>
    public long Lost { get; private set; }

    /// <summary>Datagrams that were too long, or found the link down.</summary>
    public long Refused { get; private set; }

    /// <summary>A datagram of <paramref name="length"/> bytes goes in; adds when it comes out, and how.</summary>
    public void Carry(Instant now, int length, List<LinkArrival> arrivals)
    {
        Sent++;
        SentBytes += length;
        if (IsRefused(length) || IsLost() || !Bottleneck.TryQueue(now, length, Faults, out Instant through))
            return;
        arrivals.Add(new LinkArrival(ArrivalOf(through), DamageOf(length)));
        if (generator.Chance(Faults.Duplicate))
            arrivals.Add(new LinkArrival(ArrivalOf(through), -1));
    }

    private bool IsRefused(int length)
    {
        bool isRefused = !IsUp || length > Faults.Mtu;
        if (isRefused)
            Refused++;
        return isRefused;
    }

    private bool IsLost()
    {
        bool isLost = IsLostInBurst() || generator.Chance(Faults.Loss);
        if (isLost)
            Lost++;
        return isLost;
    }

    private bool IsLostInBurst()
    {
        if (Faults.Bursts is not { } bursts)
            return false;
        _isBad = _isBad ? !generator.Chance(bursts.End) : generator.Chance(bursts.Begin);
        return _isBad && generator.Chance(bursts.Loss);
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

    private int DamageOf(int length) =>
        generator.Chance(Faults.Corrupt) ? generator.Between(0, length) * 8 + generator.Between(0, 8) : -1;
}
