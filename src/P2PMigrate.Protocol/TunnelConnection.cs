using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Datagrams;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// One session with a peer after its handshake, as a plain object: streams, loss recovery, paths and the end. It owns no
/// socket, reads no clock, starts no task; one loop owns it, and no method may be called while another runs.
/// </summary>
/// <remarks>
/// Its methods are of four kinds. <c>Handle…</c>: what happens to it. <c>Open</c>, <c>Write</c>, <c>Read</c>,
/// <c>Finish</c>, <c>Close</c> …: what the application wants. <c>TryPoll…</c> and <see cref="NextTimeout"/>: what it wants
/// done. The rest are getters. After any number of inputs the owner drains: <c>TryPollTransmit</c> until it returns
/// false, <see cref="TryPollEvent"/> until it returns false, then sleeps until <see cref="NextTimeout"/> at most and calls
/// <see cref="HandleTimeout"/>. <c>now</c> never runs backwards. Peer bytes never make a method throw; a wish for a stream
/// that does not exist is ignored, because the peer may just have ended it.
/// </remarks>
public sealed partial class TunnelConnection : IDisposable
{
    /// <summary>The bytes that a buffer for <c>TryPollTransmit</c> has at least; longer datagrams are dropped.</summary>
    // spec: CONST-32
    public const int MaxDatagramSize = 9000;

    private readonly TunnelConnectionOptions _options;
    private readonly EventQueue _events = new();
    private readonly Announcer _announcer;
    private readonly ReceiveSpaces _spaces = new();
    private readonly TimerTable _timers = new();
    private readonly KeyPhases _keys;
    private readonly SlabPool _slabs = new();
    private readonly StreamTable _streams;
    private readonly DatagramExchange _datagrams;
    private readonly DataPaths _paths;
    private readonly PathAgent _agent;
    private readonly CloseSequence _close;
    private readonly PacketReceiver _receiver;
    private readonly PacketSender _sender;
    private readonly TimeSpan _idleTimeout;
    private readonly Instant _startedAt;

    /// <summary>Starts a session; owns the keys in <paramref name="options"/>.</summary>
    public TunnelConnection(TunnelConnectionOptions options, Instant now)
    {
        _options = options;
        _startedAt = now;
        _idleTimeout = new[] { options.LocalParameters.IdleTimeout, options.PeerParameters.IdleTimeout }.Min();
        _keys = new(options.Keys, options.KeyUpdate, now);
        _streams = new(options, _events, _slabs);
        _datagrams = new(_slabs, _events);
        _agent = new(options, _events);
        _close = new(_events);
        _announcer = new(options);
        StreamSender streamSender = new(_streams, _datagrams, _events);
        SentFramePool pool = new();
        _paths = new(options, new(options.Recovery, options.PeerParameters.MaxAckDelay, pool, new SentFrameRouter(streamSender, _spaces, _announcer), options.Entropy));
        _sender = new(options, _keys, _paths, _spaces, _agent, streamSender, _announcer, _close, pool);
        FrameDispatcher frames = new(new StreamReceiver(_streams, _events), _datagrams, _paths, _agent, _close);
        _receiver = new(options, _keys, _spaces, _paths, _agent, frames, _close);
        foreach (KnownPath path in options.KnownPaths)
            _agent.AddKnownPath(now, path);
        foreach (Candidate candidate in options.RemoteCandidates)
            _agent.AddRemoteCandidate(now, candidate);
        _paths.MoveTo(now, _agent.Primary);
    }

    /// <summary>Which side of the handshake this is.</summary>
    public ConnectionRole Role => _options.Role;

    /// <summary>The path that carries data, or null before one is usable.</summary>
    public PathStatus? PrimaryPath => _paths.Primary is { } path ? new(path.Pair.Address, path.Pair.Kind, path.Recovery.RoundTrip.Smoothed) : null;

    /// <summary>Bytes of the longest application datagram that the primary path carries; it changes with the path.</summary>
    public int MaxAppDatagram =>
        Math.Max(0, (_paths.Primary?.DatagramSize ?? 0) - PacketHeader.Size - _keys.TagLength - DatagramFrame.Overhead);

    /// <summary>Why the session is over, once it is.</summary>
    public CloseReason? CloseReason => _close.Reason;

    /// <summary>True when nothing is left to send or answer: the owner may drop the object.</summary>
    public bool IsTerminated => _close.State == CloseState.Terminated;

    /// <summary>Counters since the start.</summary>
    public TunnelStatistics Statistics => new()
    {
        DatagramsSent = _sender.Datagrams,
        BytesSent = _sender.Bytes,
        DatagramsReceived = _receiver.Datagrams,
        BytesReceived = _receiver.Bytes,
        DatagramsDropped = _receiver.Dropped,
        PacketsLost = _paths.LostCount,
        PacketsLostSpuriously = _paths.SpuriousCount,
        CongestionWindow = _paths.Primary?.Recovery.Congestion.Window ?? 0,
        BytesInFlight = _paths.Primary?.Recovery.BytesInFlight ?? 0,
        KeyUpdates = _keys.Epoch,
        DatagramSize = _paths.Primary?.DatagramSize ?? 0,
        BlackHoles = _agent.BlackHoles,
    };

    /// <summary>What became of application datagrams.</summary>
    public AppDatagramStatistics AppDatagrams => _datagrams.Statistics;

    /// <summary>When <see cref="HandleTimeout"/> is due, or null when nothing is planned. Ask after draining.</summary>
    public Instant? NextTimeout
    {
        get
        {
            if (IsTerminated)
                return null;
            _timers[ConnectionTimer.Idle] = IdleDeadline;
            _timers[ConnectionTimer.AckDelay] = _sender.CanAcknowledge ? _spaces.AckDeadline : null;
            _timers[ConnectionTimer.LossDetection] = _close.IsOpen ? _paths.NextTimeout : null;
            _timers[ConnectionTimer.Pacing] = _close.IsOpen ? _sender.PacingDeadline : null;
            _timers[ConnectionTimer.Probe] = _agent.NextTimeout;
            _timers[ConnectionTimer.Arrival] = _close.IsOpen ? _receiver.Arrivals.AskAt : null;
            _timers[ConnectionTimer.Close] = _close.Deadline;
            _timers[ConnectionTimer.KeyDiscard] = _keys.DiscardAt;
            return _timers.Earliest;
        }
    }

    internal StreamTable Streams => _streams;

    /// <summary>Slabs that buffers hold, and those that wait for the next use.</summary>
    internal int SlabCount => _slabs.InUse + _slabs.Free;

    /// <summary>What the peer said of the NATs before it.</summary>
    public NatProfile RemoteNat => _agent.RemoteNat;

    internal PathAgent Agent => _agent;

    internal ICongestionController? Congestion => _paths.Primary?.Recovery.Congestion;

    internal TimerTable Timers => _timers;

    /// <summary>Events that wait for <see cref="TryPollEvent"/>. Making a datagram may cause one, too.</summary>
    public int PendingEvents => _events.Count;

    private TimeSpan ProbeTimeout => _paths.Primary?.Recovery.ProbeTimeout ?? _options.Recovery.MaxProbeTimeout;

    /// <summary>
    /// A datagram of the type <see cref="DatagramType.Packet"/> came on <paramref name="path"/>. What does not open
    /// with the session's keys is dropped and counted.
    /// </summary>
    public void HandleDatagram(Instant now, PathAddress path, ReadOnlySpan<byte> datagram) =>
        HandleTrain(now, path, datagram, Math.Max(1, datagram.Length));

    /// <summary>
    /// The same for datagrams that came together, one behind the other, all of <paramref name="datagramSize"/> bytes but
    /// the last, which may be shorter. Throws for a size below 1: the bytes may be the peer's, the size is the owner's.
    /// </summary>
    public void HandleTrain(Instant now, PathAddress path, ReadOnlySpan<byte> train, int datagramSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(datagramSize, 1);
        _receiver.BeginTrain(now, path);
        for (int start = 0; start < train.Length && !IsTerminated; start += datagramSize)
        {
            ulong error = _receiver.Handle(train.Slice(start, Math.Min(datagramSize, train.Length - start)));
            if (error != TunnelErrorCode.None)
                _close.Fail(now, error, TunnelErrorCode.ToSentence(error));
        }

        _receiver.EndTrain();
        Settle(now);
    }

    /// <summary>The time is <paramref name="now"/>; does what is due. Harmless when nothing is.</summary>
    public void HandleTimeout(Instant now)
    {
        if (IsTerminated)
            return;
        if (IdleDeadline <= now)
            _close.HandleIdle();
        _keys.HandleTimeout(now);
        if (_close.IsOpen)
            _paths.HandleTimeout(now);
        if (_receiver.Arrivals.AskAt <= now)
            AskForData(now);
        if (_paths.Primary is { Recovery.IsStuck: true })
            _close.Fail(now, TunnelErrorCode.ProtocolViolation, "Packets come and none is acknowledged.");
        if (_paths.Primary is { Recovery.TimeoutCount: > 0 and int timeouts })
            _agent.HandleSilence(now, timeouts);
        _close.HandleTimeout(now);
        _slabs.Trim(now);
        Settle(now);
    }

    /// <summary>
    /// Opens a stream. False when the peer's limit on streams of the class is reached; a <see cref="StreamsAvailable"/>
    /// event tells when it is worth trying again. False after the end too.
    /// </summary>
    public bool TryOpenStream(StreamClass streamClass, out StreamId stream)
    {
        stream = default;
        return _close.State == CloseState.Open && _streams.TryOpen(streamClass, out stream);
    }

    /// <summary>
    /// The application took a stream that the peer opened. Those that it did not take count against the limit on streams
    /// even when they are over.
    /// </summary>
    // spec: STR-06
    public void AcceptStream(StreamId stream)
    {
        if (stream.Opener != Role)
            _streams.ClassOf(stream).HandleAccepted();
    }

    /// <summary>
    /// How many ranges in a row the stream sends before the others of its class have their turn: 1 at first, 16 at most.
    /// </summary>
    // spec: STR-41
    public void SetWeight(StreamId stream, int weight)
    {
        if (_streams.TryGet(stream, out DuplexStream? found))
            found.Weight = Math.Clamp(weight, 1, DuplexStream.MaxWeight);
    }

    /// <summary>Takes bytes to send; copies as many as there is room for.</summary>
    public StreamWriteResult Write(StreamId stream, ReadOnlySpan<byte> data)
    {
        if (_close.State != CloseState.Open || !_streams.TryGet(stream, out DuplexStream? found))
            return new(0, StreamWriteStatus.Finished);
        StreamWriteResult result = found.Send.Write(data);
        _streams.Schedule(found);
        return result;
    }

    /// <summary>
    /// Bytes of the peer's direction that come in their order go to <paramref name="reader"/> from now on, as far as it takes
    /// them, and give credit as if read; the rest waits for <see cref="Read"/>, which also tells the end. A
    /// <see cref="StreamReadable"/> event tells of all three.
    /// </summary>
    public void SetReader(StreamId stream, IStreamReader reader)
    {
        if (_streams.TryGet(stream, out DuplexStream? found))
            found.Receive.Reader = reader;
    }

    /// <summary>
    /// Copies the next bytes of the peer's direction and gives the peer new credit for them. Still works after the end
    /// for what had arrived. The end of a stream is reported once; after that the stream is forgotten.
    /// </summary>
    public StreamReadResult Read(StreamId stream, Span<byte> destination)
    {
        if (!_streams.TryGet(stream, out DuplexStream? found))
            return new(0, StreamReadStatus.Finished);
        StreamReadResult result = found.Receive.Read(destination);
        _streams.ScheduleControl(found);
        _streams.ForgetIfOver(found);
        return result;
    }

    /// <summary>Ends our direction after everything written so far.</summary>
    public void Finish(StreamId stream)
    {
        if (!_streams.TryGet(stream, out DuplexStream? found))
            return;
        found.Send.Finish();
        _streams.Schedule(found);
    }

    /// <summary>Gives our direction up: bytes not delivered yet never will be.</summary>
    public void Reset(StreamId stream, ulong code)
    {
        if (_streams.TryGet(stream, out DuplexStream? found) && found.Send.TryReset(code))
            _streams.Schedule(found);
    }

    /// <summary>Tells the peer that the rest of its direction is not wanted; it is dropped when it comes.</summary>
    public void StopSending(StreamId stream, ulong code)
    {
        if (!_streams.TryGet(stream, out DuplexStream? found) || !found.Receive.TryStop(code))
            return;
        _streams.ScheduleControl(found);
        _streams.ForgetIfOver(found);
    }

    /// <summary>
    /// Takes an application datagram to send: whole or not at all, before urgent and bulk streams, never again. False when it
    /// is longer than <see cref="MaxAppDatagram"/> or the session is over.
    /// </summary>
    public bool TrySendDatagram(Instant now, ReadOnlySpan<byte> data)
    {
        if (_close.State != CloseState.Open || data.Length > MaxAppDatagram)
            return false;
        _datagrams.Send(now, data);
        return true;
    }

    /// <summary>Copies the oldest application datagram that arrived; false when there is none. What does not fit is cut off.</summary>
    public bool TryReceiveDatagram(Span<byte> destination, out int length) => _datagrams.TryReceive(destination, out length);

    /// <summary>
    /// Ends the session with a code of 13-errors or of the application. With <paramref name="flush"/>, first delivers what
    /// was written to streams, as long as that makes progress. The first call counts; later ones may only end the flush.
    /// </summary>
    public void Close(Instant now, ulong code, string reason, bool flush)
    {
        _close.Begin(now, code, reason, flush, ProbeTimeout);
        Settle(now);
    }

    /// <summary>Another candidate of the peer became known outside of the session (for example from the rendezvous).</summary>
    public void AddRemoteCandidate(Instant now, Candidate candidate) => _agent.AddRemoteCandidate(now, candidate);

    /// <summary>A rendezvous server has vouched for this address of the peer: a candidate that may be punched, too.</summary>
    // spec: PATH-74
    public void AddVouchedCandidate(Instant now, NetworkAddress address) => _agent.AddVouchedCandidate(now, address);

    /// <summary>One of our own candidates became known; the peer is told.</summary>
    public void AddLocalCandidate(Candidate candidate) => _announcer.Add(candidate);

    /// <summary>A server sees the socket of a <see cref="FreshSocketWanted"/> at this address; the peer is told, and probed from there.</summary>
    // spec: PATH-82
    public void AddFreshSocket(Instant now, LocalInterface socket, NetworkAddress observed)
    {
        _announcer.Add(new(CandidateKind.Reflexive, observed));
        _agent.AddFreshSocket(now, socket);
    }

    /// <summary>More, or something else, is known of the NATs before us; the peer is told.</summary>
    // spec: PATH-61
    public void SetLocalNat(NatProfile nat)
    {
        _agent.LocalNat = nat;
        _announcer.Set(nat);
    }

    /// <summary>A path that may carry data from now on, for example a relay channel that was opened late.</summary>
    public void AddKnownPath(Instant now, KnownPath path)
    {
        _agent.AddKnownPath(now, path);
        Settle(now);
    }

    /// <summary>
    /// Writes the next datagram to send into <paramref name="buffer"/>, which has room for
    /// <see cref="MaxDatagramSize"/>. False when there is nothing to send before the next input or timeout.
    /// </summary>
    public bool TryPollTransmit(Instant now, Span<byte> buffer, out Transmit transmit) =>
        TryPollTransmit(now, buffer, maxDatagrams: 1, out transmit);

    /// <summary>
    /// The same for up to <paramref name="maxDatagrams"/> datagrams of one size on one path, as many as are to be sent, fit
    /// into <paramref name="buffer"/> and may leave with one call to the machine.
    /// </summary>
    public bool TryPollTransmit(Instant now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        bool isBuilt = _sender.TryPoll(now, buffer, maxDatagrams, out transmit);
        Settle(now);
        return isBuilt;
    }

    /// <summary>Takes the oldest event that was not taken yet.</summary>
    public bool TryPollEvent([NotNullWhen(true)] out TunnelEvent? tunnelEvent) => _events.TryTake(out tunnelEvent);

    /// <summary>Drops keys and buffers without a word to the peer.</summary>
    public void Dispose()
    {
        _streams.Dispose();
        _datagrams.Dispose();
        _keys.Dispose();
    }

    // spec: PATH-34
    private void AskForData(Instant now)
    {
        _receiver.Arrivals.HandleAsked(now);
        _paths.Primary?.Recovery.Ask();
    }

    /// <summary>After every input: lets the parts follow what the others decided.</summary>
    private void Settle(Instant now)
    {
        _paths.MoveTo(now, _agent.Primary);
        if (_paths.Primary is { Recovery.Sizes.IsSuspicious: true } path)
        {
            path.Recovery.Sizes.Reset();
            _agent.HandleSizeDoubt(now);
        }

        _streams.FollowCongestion(_paths.Primary?.Recovery.Congestion.Window ?? 0);
        if (_close.State == CloseState.Flushing && _streams.IsFlushed)
            _close.EndFlush(now);
        if (_keys.IsExhausted)
            _close.Fail(now, TunnelErrorCode.KeyUpdate, TunnelErrorCode.ToSentence(TunnelErrorCode.KeyUpdate));
    }
}
