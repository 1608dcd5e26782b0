namespace P2PMigrate.Tunnel;

/// <summary>
/// Application datagrams of a session: each arrives whole or not at all, in no promised order, and is never sent again. For
/// what is worthless when it is late: forwarded UDP, audio, positions. Safe for use from several threads.
/// </summary>
public interface ITunnelDatagrams
{
    /// <summary>Bytes of the longest datagram that the path carries now; 0 while there is no path. It changes with the path.</summary>
    int MaxSize { get; }

    /// <summary>What became of datagrams so far.</summary>
    DatagramStatistics Statistics { get; }

    /// <summary>
    /// Takes a copy to send, and never waits: when the path is congested the oldest datagrams give way, and what could not
    /// leave for 250 ms is dropped. False when it is longer than <see cref="MaxSize"/> or the session has ended.
    /// </summary>
    bool TrySend(ReadOnlySpan<byte> datagram);

    /// <summary>
    /// Waits for the next datagram, copies it and returns its length; what does not fit is cut off. When nobody takes them the
    /// oldest give way. Throws <see cref="TunnelException"/> when the session has ended and nothing waits any more.
    /// </summary>
    ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken = default);
}

/// <summary>What became of a session's application datagrams. What the network lost is in none of these.</summary>
/// <param name="Sent">Put into a packet.</param>
/// <param name="DroppedBeforeSending">Taken by <see cref="ITunnelDatagrams.TrySend"/>, then too old, too long, or one too many.</param>
/// <param name="Received">Arrived.</param>
/// <param name="DroppedUnread">Arrived and gave way to newer ones before anybody took them.</param>
public readonly record struct DatagramStatistics(long Sent, long DroppedBeforeSending, long Received, long DroppedUnread);
