namespace P2PMigrate.Protocol;

/// <summary>Counters of a session since its start.</summary>
public readonly record struct TunnelStatistics
{
    /// <summary>Datagrams handed to the driver.</summary>
    public long DatagramsSent { get; init; }

    /// <summary>Bytes of these datagrams.</summary>
    public long BytesSent { get; init; }

    /// <summary>Datagrams that opened and were new.</summary>
    public long DatagramsReceived { get; init; }

    /// <summary>Bytes of these datagrams.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Datagrams dropped because they did not open, were for another session, or came twice.</summary>
    public long DatagramsDropped { get; init; }

    /// <summary>Packets declared lost.</summary>
    public long PacketsLost { get; init; }

    /// <summary>Packets declared lost and acknowledged later.</summary>
    public long PacketsLostSpuriously { get; init; }

    /// <summary>The congestion window of the primary path, in bytes.</summary>
    public long CongestionWindow { get; init; }

    /// <summary>Bytes sent on the primary path and neither acknowledged nor lost.</summary>
    public long BytesInFlight { get; init; }

    /// <summary>The longest datagram of data on the primary path, in bytes.</summary>
    public int DatagramSize { get; init; }

    /// <summary>How often a primary path was found to drop datagrams that had passed before.</summary>
    public int BlackHoles { get; init; }

    /// <summary>Epochs begun after the first.</summary>
    public long KeyUpdates { get; init; }
}

/// <summary>What became of a session's application datagrams; what the network lost is in none of these.</summary>
/// <param name="Sent">Put into a packet.</param>
/// <param name="DroppedBeforeSending">Too old, too long, or one too many before they could leave.</param>
/// <param name="Received">Arrived.</param>
/// <param name="DroppedUnread">Arrived and gave way to newer ones before they were taken.</param>
public readonly record struct AppDatagramStatistics(long Sent, long DroppedBeforeSending, long Received, long DroppedUnread);
