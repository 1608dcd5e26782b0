using System.Diagnostics;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// The packets of one label that were sent and may still be acknowledged, in a ring indexed by packet number. Grows by
/// doubling to <see cref="MaxCapacity"/>. One owner.
/// </summary>
internal sealed class SentPacketRing(ulong firstNumber)
{
    /// <summary>Most packets that are tracked at a time on one label.</summary>
    // spec: CONST-72
    public const int MaxCapacity = 1 << 16;

    /// <summary>
    /// How many of them only probes may take: when everything sent is unanswered, something has to ask for an answer, until
    /// the peer is given up.
    /// </summary>
    // spec: CONST-72
    public const int ReservedForProbes = 64;

    private const int InitialCapacity = 32;

    private SentPacket[] _packets = new SentPacket[InitialCapacity];

    /// <summary>The smallest packet number tracked.</summary>
    public ulong First { get; private set; } = firstNumber;

    /// <summary>The packet number that is used next.</summary>
    public ulong Next { get; private set; } = firstNumber;

    /// <summary>May another packet be added that is no probe?</summary>
    public bool HasRoom => Next - First < MaxCapacity - ReservedForProbes;

    /// <summary>May another packet be added at all?</summary>
    public bool HasRoomForProbe => Next - First < MaxCapacity;

    /// <summary>A packet that is tracked.</summary>
    public ref SentPacket this[ulong number]
    {
        get
        {
            Debug.Assert(number >= First && number < Next);
            return ref _packets[number & (ulong)(_packets.Length - 1)];
        }
    }

    /// <summary>Tracks a packet under the next number.</summary>
    public void Add(in SentPacket packet)
    {
        Debug.Assert(HasRoomForProbe);
        if (Next - First == (ulong)_packets.Length)
            Grow();
        Next++;
        this[Next - 1] = packet;
    }

    /// <summary>
    /// Stops tracking packets at the front that nobody waits for. Lost ones sent after <paramref name="keepLostSince"/>
    /// stay, unless the ring is full: a late acknowledgement may still come.
    /// </summary>
    public void Trim(Instant keepLostSince)
    {
        if (!HasRoom)
            keepLostSince = Instant.Never;
        while (First < Next && MayGo(this[First], keepLostSince))
            First++;
    }

    private static bool MayGo(in SentPacket packet, Instant keepLostSince) => packet.State switch
    {
        SentPacketState.Outstanding => false,
        SentPacketState.Lost => packet.SentAt <= keepLostSince,
        _ => true,
    };

    private void Grow()
    {
        SentPacket[] grown = new SentPacket[_packets.Length * 2];
        for (ulong number = First; number < Next; number++)
            grown[number & (ulong)(grown.Length - 1)] = this[number];
        _packets = grown;
    }
}

/// <summary>What is known of a packet that was sent.</summary>
internal struct SentPacket
{
    /// <summary>When it was sent.</summary>
    public Instant SentAt;

    /// <summary>The frames whose fate matters.</summary>
    public RecordedFrames Frames;

    /// <summary>What was known of the path then.</summary>
    public DeliveryMark Mark;

    /// <summary>Bytes of the datagram.</summary>
    public ushort Size;

    /// <summary>What became of it.</summary>
    public SentPacketState State;

    /// <summary>Did it leave together with others?</summary>
    public bool IsInTrain;
}

/// <summary>What became of a packet.</summary>
internal enum SentPacketState : byte
{
    /// <summary>Not ack-eliciting: nobody waits for an acknowledgement, and it does not count as in flight.</summary>
    Untracked,

    /// <summary>In flight.</summary>
    Outstanding,

    /// <summary>Acknowledged.</summary>
    Acknowledged,

    /// <summary>Declared lost; an acknowledgement may still prove that wrong.</summary>
    Lost,

    /// <summary>Given up without blaming the path: a late acknowledgement says nothing.</summary>
    Abandoned,

    /// <summary>Never sent: who acknowledges it acknowledges blindly.</summary>
    Skipped,
}
