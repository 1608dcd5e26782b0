using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Datagrams;

/// <summary>
/// Application datagrams of a session in both directions: whole or not at all, in no promised order, never repeated. What
/// cannot leave or is not taken soon enough is dropped and counted. One owner.
/// </summary>
// spec: STR-50 to STR-53
internal sealed class DatagramExchange(SlabPool pool, EventQueue events) : IDisposable
{
    /// <summary>Bytes that wait to be sent, and as many that wait for the application.</summary>
    // spec: CONST-38
    public const int MaxWaiting = 256 << 10;

    // spec: CONST-39
    private static readonly TimeSpan s_maxAge = TimeSpan.FromMilliseconds(250);

    private static readonly DatagramsAvailable s_news = new();

    private readonly DatagramQueue _outgoing = new(pool, MaxWaiting);
    private readonly DatagramQueue _incoming = new(pool, MaxWaiting);
    private long _sent;
    private long _received;
    private bool _isNewsQueued;

    /// <summary>Is there something to send?</summary>
    public bool HasPending => _outgoing.Count > 0;

    /// <summary>What became of them.</summary>
    public AppDatagramStatistics Statistics => new(_sent, _outgoing.Dropped, _received, _incoming.Dropped);

    /// <summary>Takes a datagram to send.</summary>
    public void Send(Instant now, ReadOnlySpan<byte> data) => _outgoing.Add(now, data);

    /// <summary>Writes as many as fit into the packet; drops those that are too old, or longer than a packet that is empty.</summary>
    public void Write(Instant now, ref PacketWriter packet)
    {
        while (_outgoing.Count > 0)
        {
            int room = packet.Room - DatagramFrame.Overhead;
            bool isTooLong = _outgoing.NextLength > room;
            if (now - _outgoing.NextAddedAt > s_maxAge || (isTooLong && packet.Frames.Written == 0))
                _outgoing.Drop();
            else if (isTooLong)
                return;
            else
                WriteNext(ref packet);
        }
    }

    /// <summary>A datagram of the peer arrived.</summary>
    public void Handle(Instant now, in DatagramFrame frame)
    {
        _received++;
        _incoming.Add(now, frame.Data);
        if (!_isNewsQueued)
            events.Add(s_news);
        _isNewsQueued = true;
    }

    /// <summary>Copies the oldest datagram that arrived; false when there is none. What does not fit is cut off.</summary>
    public bool TryReceive(Span<byte> destination, out int length)
    {
        length = 0;
        if (_incoming.Count == 0)
        {
            _isNewsQueued = false;
            return false;
        }

        length = Math.Min(_incoming.NextLength, destination.Length);
        _incoming.Take(destination[..length]);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _outgoing.Dispose();
        _incoming.Dispose();
    }

    private void WriteNext(ref PacketWriter packet)
    {
        int length = _outgoing.NextLength;
        DatagramFrame.WriteHead(ref packet.Frames, length);
        _outgoing.Take(packet.Frames.Free[..length]);
        packet.Frames.Advance(length);
        packet.Record(new(SentFrameKind.Datagram, 0));
        _sent++;
    }
}
