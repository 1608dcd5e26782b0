using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>One direction of a route, with the datagrams that travel on it.</summary>
public sealed class Link(SeededGenerator generator)
{
    private readonly LinkModel _model = new(generator);
    private readonly List<LinkArrival> _arrivals = [];

    public LinkFaults Faults
    {
        get => _model.Faults;
        set => _model.Faults = value;
    }

    public bool IsUp
    {
        get => _model.IsUp;
        set => _model.IsUp = value;
    }

    /// <summary>Where datagrams wait when the rate is limited; several links may share one.</summary>
    public Bottleneck Bottleneck
    {
        get => _model.Bottleneck;
        set => _model.Bottleneck = value;
    }

    /// <summary>Datagrams that went in.</summary>
    public long Sent => _model.Sent;

    /// <summary>Bytes that went in.</summary>
    public long SentBytes => _model.SentBytes;

    /// <summary>A datagram goes in; adds when it comes out, and how.</summary>
    public void Carry(Instant now, byte[] datagram, List<(Instant At, byte[] Datagram)> arrivals)
    {
        _arrivals.Clear();
        _model.Carry(now, datagram.Length, _arrivals);
        foreach (LinkArrival arrival in _arrivals)
            arrivals.Add((arrival.At, Damaged(datagram, arrival)));
    }

    private static byte[] Damaged(byte[] datagram, LinkArrival arrival)
    {
        if (arrival.DamagedBit < 0)
            return datagram;
        byte[] damaged = [.. datagram];
        arrival.Damage(damaged);
        return damaged;
    }
}
