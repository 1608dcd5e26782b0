using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>
/// Packets that a peer with the keys sends, one after the other: <c>label and flags, length, frames</c>. Flags: 0x20 the
/// other key phase, 0x40 a second passes first, 0x80 a packet number that was used before. The application reads some
/// streams and answers on them.
/// </summary>
internal sealed class PacketScript(byte[] input)
{
    // What the windows of all classes and the queues of datagrams come to, a slab for each range that lies alone.
    private const int MaxSlabs = 4096;
    private const int MaxEvents = 10_000;

    private readonly byte[] _datagram = new byte[TunnelConnection.MaxDatagramSize];
    private readonly byte[] _buffer = new byte[4096];
    private readonly uint[] _numbers = new uint[32];
    private Instant _now = new(1_000_000_000);

    public void Run()
    {
        using TunnelConnection connection = SessionTargets.Create(ConnectionRole.Responder, _now);
        connection.TryOpenStream(StreamClass.Bulk, out StreamId own);
        connection.Write(own, _buffer);
        Drain(connection);
        for (int at = 0; at + 2 <= input.Length;)
        {
            byte flags = input[at], length = input[at + 1];
            ReadOnlySpan<byte> frames = input.AsSpan(at + 2, Math.Min(length, input.Length - at - 2));
            at += 2 + frames.Length;
            Deliver(connection, flags, frames);
            Drain(connection);
        }

        for (int i = 0; i < 50 && connection.NextTimeout is { } next; i++)
        {
            _now = Instant.Max(_now, next);
            connection.HandleTimeout(_now);
            Drain(connection);
        }
    }

    private void Deliver(TunnelConnection connection, byte flags, ReadOnlySpan<byte> frames)
    {
        byte label = (byte)(flags & 31);
        if ((flags & 0x40) != 0)
        {
            _now += TimeSpan.FromSeconds(1);
            connection.HandleTimeout(_now);
        }

        uint number = (flags & 0x80) != 0 ? _numbers[label] / 2 : _numbers[label]++;
        new PacketHeader((flags & 0x20) != 0, label, number, new ConnectionId(1)).Write(_datagram);
        frames.CopyTo(_datagram.AsSpan(PacketHeader.Size));
        connection.HandleDatagram(_now, SessionTargets.Here, _datagram.AsSpan(0, PacketHeader.Size + frames.Length));
    }

    private void Drain(TunnelConnection connection)
    {
        int events = 0;
        while (connection.TryPollEvent(out TunnelEvent? happened))
        {
            Require(++events < MaxEvents, "Events do not come to an end.");
            if (happened is StreamReadable readable && readable.Stream.Index % 2 == 0)
                connection.Read(readable.Stream, _buffer);
            else if (happened is StreamOpened opened && opened.Stream.Index % 3 == 0)
                Answer(connection, opened.Stream);
            else if (happened is DatagramsAvailable)
                connection.TryReceiveDatagram(_buffer, out _);
        }

        byte[] sent = new byte[TunnelConnection.MaxDatagramSize];
        for (int packets = 0; connection.TryPollTransmit(_now, sent, out _); packets++)
            Require(packets < MaxEvents, "Packets do not come to an end.");
        Require(connection.SlabCount <= MaxSlabs, "The buffers hold more than the windows allow.");
    }

    private void Answer(TunnelConnection connection, StreamId stream)
    {
        connection.AcceptStream(stream);
        connection.Write(stream, _buffer.AsSpan(0, 100));
        connection.Finish(stream);
    }

    private static void Require(bool holds, string sentence)
    {
        if (!holds)
            throw new InvalidOperationException(sentence);
    }
}
