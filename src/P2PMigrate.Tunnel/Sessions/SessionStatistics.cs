namespace P2PMigrate.Tunnel;

/// <summary>
/// What a session has carried so far; a snapshot that is renewed about ten times a second and at the end.
/// <paramref name="PayloadSent"/> and <paramref name="PayloadReceived"/> are bytes of streams, the wire figures bytes of
/// UDP payload, repetitions and acknowledgements included.
/// </summary>
public sealed record SessionStatistics(
    long PayloadSent, long PayloadReceived, long WireSent, long WireReceived, long DatagramsSent, long DatagramsReceived,
    long PacketsLost, long PacketsLostSpuriously);

/// <summary>
/// How a session came to be, measured from the moment that the dial or the first handshake message began it. Null:
/// it has not happened (yet).
/// </summary>
/// <param name="ToEstablished">Until the handshake was complete and data could flow.</param>
/// <param name="ToFirstByte">Until the first protected packet of the peer arrived, on whatever path.</param>
/// <param name="ToDirect">Until data took a direct path.</param>
public sealed record SessionTimings(TimeSpan ToEstablished, TimeSpan? ToFirstByte, TimeSpan? ToDirect);
