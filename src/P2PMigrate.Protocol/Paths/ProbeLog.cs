namespace P2PMigrate.Protocol.Paths;

/// <summary>The last probes of one pair, so that answers can be told from noise. One owner.</summary>
internal sealed class ProbeLog
{
    /// <summary>Probes that are remembered; an answer to an older one is not recognised.</summary>
    // spec: CONST-46
    public const int Capacity = 16;

    private readonly SentProbe[] _probes = new SentProbe[Capacity];
    private int _next;

    /// <summary>Remembers a probe.</summary>
    public void Add(SentProbe probe) => _probes[_next++ % Capacity] = probe;

    /// <summary>Finds and forgets the probe with this token.</summary>
    public bool TryTake(ulong token, out SentProbe probe)
    {
        int index = Array.FindIndex(_probes, sent => sent.Token == token && sent.IsPending);
        probe = index < 0 ? default : _probes[index];
        if (index >= 0)
            _probes[index] = default;
        return index >= 0;
    }
}

/// <summary>A probe that was sent: its token, when, and how long its datagram was.</summary>
internal readonly record struct SentProbe(ulong Token, Instant SentAt, int Size)
{
    public bool IsPending => SentAt != default || Token != 0;
}

/// <summary>
/// A probe or an answer that has to be sent now, alone in a packet of label 0 that is padded to
/// <paramref name="DatagramSize"/>. For an answer, <paramref name="Observed"/> is the address to report.
/// </summary>
internal readonly record struct OutgoingProbe(PathAddress Path, ulong Token, bool IsResponse, Wire.NetworkAddress Observed, int DatagramSize)
{
    /// <summary>See <see cref="Transmit.HopLimit"/>.</summary>
    public byte HopLimit { get; init; }
}
