using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// One bound UDP socket, served by one thread: that thread receives, sends and waits; any thread may <see cref="Wake"/>
/// it. Nothing here blocks except <see cref="Wait"/> (and <see cref="Send"/> for <see cref="DatagramSocket.SendPatience"/>
/// at most, when the machine's own send queue is full).
/// </summary>
internal interface IDatagramSocket : IDisposable
{
    /// <summary>Where the socket is bound; the port is the real one.</summary>
    NetworkAddress Local { get; }

    /// <summary>Can it send to <paramref name="remote"/>'s address family?</summary>
    bool Reaches(NetworkAddress remote);

    /// <summary>Further sockets, for which <see cref="Wait"/> waits too; null where the machine has no way to.</summary>
    SiblingSockets? Siblings { get; }

    /// <summary>
    /// Replaces the content of <paramref name="batch"/> by what has arrived, up to its capacity; false when that was
    /// everything, so that the next call is worth it only after a <see cref="Wait"/>.
    /// </summary>
    bool Receive(ReceiveBatch batch);

    /// <summary>
    /// Hands every datagram of <paramref name="batch"/> to the network. One that the machine refuses (no route, too
    /// large, queue full) is dropped, as any router on the way could; returns how many were taken. Nothing is sent in
    /// pieces: a datagram that its interface cannot carry whole is noted in the batch.
    /// </summary>
    int Send(TransmitBatch batch);

    /// <summary>Returns when a datagram can be received, <see cref="Wake"/> was called, or <paramref name="timeout"/> passed.</summary>
    void Wait(TimeSpan timeout);

    /// <summary>From any thread, also after disposal: the present or the next <see cref="Wait"/> returns at once.</summary>
    void Wake();
}
