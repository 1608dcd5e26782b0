using System.Diagnostics;
using System.Net;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.PacketBench;

/// <summary>
/// A sender and a receiver of one bulk stream, back to back: trains are handed over in memory, and a turn takes 250
/// microseconds of a clock that stands still in between. The same sizes as on an Ethernet link.
/// </summary>
internal sealed class BulkPair : IDisposable
{
    private const int DatagramSize = 1472;
    private const int TrainLength = 44;
    private const int TrainsPerTurn = 4;

    private readonly byte[] _application = new byte[256 << 10];
    private readonly byte[][] _wire = [.. Enumerable.Range(0, TrainsPerTurn).Select(_ => new byte[64 << 10])];
    private readonly Transmit[] _sent = new Transmit[TrainsPerTurn];
    private readonly PathAddress _path = new(new LocalInterface(PathKind.Direct, 0), NetworkAddress.FromBytes(IPAddress.Loopback.GetAddressBytes(), 1000));
    private readonly TunnelConnection _sender;
    private readonly TunnelConnection _receiver;
    private readonly ProtectionSuite _suite;
    private readonly StreamId _stream;
    private Instant _now = new(1_000_000_000);
    private long _write, _build, _open, _read, _answer, _acknowledge;

    public BulkPair(ProtectionSuite suite)
    {
        _suite = suite;
        _sender = Create(ConnectionRole.Initiator);
        _receiver = Create(ConnectionRole.Responder);
        _sender.TryOpenStream(StreamClass.Bulk, out _stream);
    }

    /// <summary>Moves so many bytes from one application to the other.</summary>
    public void Move(long length)
    {
        for (long read = 0; read < length;)
            read += Turn();
    }

    /// <summary>The same, and what it cost.</summary>
    public PacketCost Measure(long length)
    {
        _write = _build = _open = _read = _answer = _acknowledge = 0;
        long packets = _receiver.Statistics.DatagramsReceived;
        Move(length);
        packets = _receiver.Statistics.DatagramsReceived - packets;
        double Each(long ticks) => ticks * 1e9 / Stopwatch.Frequency / packets;
        return new(
            (double)length / packets, Each(_write), Each(_build), Each(_open), Each(_read), Each(_answer), Each(_acknowledge),
            PacketFloor.Aead(_suite, DatagramSize), PacketFloor.Copy(DatagramSize));
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    private long Turn()
    {
        long t0 = Stopwatch.GetTimestamp();
        while (_sender.Write(_stream, _application).Count == _application.Length)
        {
        }

        long t1 = Stopwatch.GetTimestamp();
        int trains = 0;
        while (trains < TrainsPerTurn && _sender.TryPollTransmit(_now, _wire[trains], TrainLength, out _sent[trains]))
            trains++;
        long t2 = Stopwatch.GetTimestamp();
        for (int i = 0; i < trains; i++)
            Deliver(_receiver, _wire[i], _sent[i]);
        long t3 = Stopwatch.GetTimestamp();
        long read = 0;
        int count;
        while ((count = _receiver.Read(_stream, _application).Count) > 0)
            read += count;
        while (_receiver.TryPollEvent(out _))
        {
        }

        long t4 = Stopwatch.GetTimestamp();
        _now += TimeSpan.FromMicroseconds(250);
        _receiver.HandleTimeout(_now);
        int answers = 0;
        while (answers < TrainsPerTurn && _receiver.TryPollTransmit(_now, _wire[answers], TrainLength, out _sent[answers]))
            answers++;
        long t5 = Stopwatch.GetTimestamp();
        for (int i = 0; i < answers; i++)
            Deliver(_sender, _wire[i], _sent[i]);
        _sender.HandleTimeout(_now);
        while (_sender.TryPollEvent(out _))
        {
        }

        long t6 = Stopwatch.GetTimestamp();
        (_write, _build, _open, _read, _answer, _acknowledge) =
            (_write + t1 - t0, _build + t2 - t1, _open + t3 - t2, _read + t4 - t3, _answer + t5 - t4, _acknowledge + t6 - t5);
        return read;
    }

    private void Deliver(TunnelConnection to, byte[] wire, in Transmit train) =>
        to.HandleTrain(_now, _path, wire.AsSpan(0, train.Length), train.DatagramSize);

    private TunnelConnection Create(ConnectionRole role)
    {
        byte[][] secrets = [[.. Enumerable.Repeat((byte)1, KeySchedule.SecretSize)], [.. Enumerable.Repeat((byte)2, KeySchedule.SecretSize)]];
        return new(
            new TunnelConnectionOptions
            {
                Role = role,
                Keys = new KeySchedule(_suite, secrets[(int)role], secrets[1 - (int)role]),
                LocalConnectionId = new((ulong)role + 1),
                RemoteConnectionId = new(2 - (ulong)role),
                Entropy = new CountingEntropy(),
                Paths = new PathOptions { MinDatagramSize = DatagramSize, MaxDatagramSize = DatagramSize },
                KnownPaths = [new(_path, IsRemoteProven: true)],
            },
            _now);
    }

    /// <summary>Nothing here is secret, and every run is the same.</summary>
    private sealed class CountingEntropy : IEntropy
    {
        private ulong _state = 1;

        public void Fill(Span<byte> destination)
        {
            foreach (ref byte value in destination)
                value = (byte)((_state = (_state * 6364136223846793005) + 1442695040888963407) >> 56);
        }
    }
}
