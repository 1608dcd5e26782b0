using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>One side of a <see cref="StreamScript"/>: its application, and its datagrams that are on their way.</summary>
internal sealed class ScriptPeer(int index, TunnelConnection connection)
{
    public const ulong CloseCode = 0x123;

    private const int MaxInFlight = 1_000;

    private readonly List<byte[]> _inFlight = [];
    private readonly List<StreamId> _streams = [];
    private readonly Dictionary<StreamId, ulong> _written = [];
    private readonly HashSet<StreamId> _finished = [];
    private readonly HashSet<StreamId> _givenUp = [];
    private readonly Dictionary<StreamId, ulong> _read = [];
    private readonly HashSet<StreamId> _ended = [];
    private readonly byte[] _buffer = new byte[8192];

    public TunnelConnection Connection => connection;

    public void Add(byte[] datagram)
    {
        if (_inFlight.Count < MaxInFlight)
            _inFlight.Add(datagram);
    }

    public bool TryTakeDatagram([NotNullWhen(true)] out byte[]? datagram)
    {
        datagram = _inFlight.FirstOrDefault();
        if (datagram is not null)
            _inFlight.RemoveAt(0);
        return datagram is not null;
    }

    public void Lose() => TryTakeDatagram(out _);

    public void Reorder()
    {
        if (TryTakeDatagram(out byte[]? first))
            _inFlight.Add(first);
    }

    public void Duplicate()
    {
        if (_inFlight.Count > 0)
            Add(_inFlight[0]);
    }

    /// <summary>What the application does; the value picks a stream or says how much.</summary>
    public void Do(int operation, int value, Instant now)
    {
        if (operation == 0 && connection.TryOpenStream((StreamClass)(value % 3), out StreamId opened))
            _streams.Add(opened);
        else if (operation == 9)
            connection.TrySendDatagram(now, _buffer.AsSpan(0, value * 8));
        else if (operation == 15 && value == 0x7F)
            connection.Close(now, CloseCode, "the script closes", flush: true);
        else if (_streams.Count > 0)
            Use(_streams[value % _streams.Count], operation, value);
    }

    public void ReadAll()
    {
        foreach (StreamId stream in _streams.ToArray())
            Read(stream, _buffer.Length);
    }

    public void DrainEvents()
    {
        while (connection.TryPollEvent(out TunnelEvent? happened))
        {
            if (happened is StreamOpened opened)
                _streams.Add(opened.Stream);
            else if (happened is StreamStopped stopped)
                _givenUp.Add(stopped.Stream);
            else if (happened is DatagramsAvailable)
                while (connection.TryReceiveDatagram(_buffer, out _))
                {
                }
        }
    }

    /// <summary>The streams that this side finished and the other has not read to their end.</summary>
    public string Missing(ScriptPeer other) =>
        string.Join(' ', _finished.Where(stream => !_givenUp.Contains(stream) && !other._ended.Contains(stream)));

    private void Use(StreamId stream, int operation, int value)
    {
        switch (operation)
        {
            case 1: Write(stream, value * 64); break;
            case 2: Read(stream, value * 16); break;
            case 3: Finish(stream); break;
            case 4: connection.Reset(stream, 7); _givenUp.Add(stream); break;
            case 5: connection.StopSending(stream, 8); _ended.Add(stream); break;
            case 10: connection.SetWeight(stream, value); break;
            case 11: connection.AcceptStream(stream); break;
        }
    }

    private void Finish(StreamId stream)
    {
        connection.Finish(stream);
        // A stream opened by the peer and not over is ours to end; one of ours that wrote nothing is opened by its end.
        if (!_givenUp.Contains(stream))
            _finished.Add(stream);
    }

    private void Write(StreamId stream, int length)
    {
        ulong from = _written.GetValueOrDefault(stream);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = Pattern(stream, index, from + (ulong)i);
        _written[stream] = from + (ulong)connection.Write(stream, bytes).Count;
    }

    private void Read(StreamId stream, int length)
    {
        if (_ended.Contains(stream))
            return;
        StreamReadResult result = connection.Read(stream, _buffer.AsSpan(0, length));
        ulong from = _read.GetValueOrDefault(stream);
        for (int i = 0; i < result.Count; i++)
        {
            if (_buffer[i] != Pattern(stream, 1 - index, from + (ulong)i))
                throw new InvalidOperationException($"Stream {stream}: a wrong byte at {from + (ulong)i}.");
        }

        _read[stream] = from + (ulong)result.Count;
        if (result.Status != StreamReadStatus.Open)
            _ended.Add(stream);
    }

    private static byte Pattern(StreamId stream, int writer, ulong offset) => (byte)(stream.Value * 7 + (ulong)writer * 101 + offset * 31 + (offset >> 8));
}
