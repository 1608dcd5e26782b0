using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// All streams of a session: who may open them, which have something to send, and when they are forgotten. What the
/// application wants enters here, what the peer says through <see cref="StreamReceiver"/>, what goes out through
/// <see cref="StreamSender"/>. One owner.
/// </summary>
internal sealed class StreamTable : IDisposable
{
    private readonly TunnelConnectionOptions _options;
    private readonly EventQueue _events;
    private readonly Dictionary<StreamId, DuplexStream> _streams = [];
    private readonly ClassState[] _classes = new ClassState[StreamClasses.Count];
    private readonly SlabPool _slabs;
    private readonly SendAllowance _allowance;

    // The stream that was asked for last; of several packets in a row, most are for one stream.
    private DuplexStream? _latest;

    /// <summary>A table without streams.</summary>
    public StreamTable(TunnelConnectionOptions options, EventQueue events, SlabPool slabs)
    {
        _options = options;
        _events = events;
        _slabs = slabs;
        _allowance = new SendAllowance(options.SendBufferLimit);
        WindowBudget budget = new(options.MaxSessionWindow);
        for (int i = 0; i < _classes.Length; i++)
        {
            StreamClass streamClass = (StreamClass)i;
            ClassLimits local = options.LocalParameters[streamClass];
            budget.Take(local.ClassWindow);
            _classes[i] = new(streamClass, local, options.PeerParameters[streamClass], new ReceiveCredit(local.ClassWindow, options.MaxSessionWindow, budget));
        }
    }

    /// <summary>The classes, best first.</summary>
    public ReadOnlySpan<ClassState> Classes => _classes;

    /// <summary>Streams with a reset, a refusal or credit to send.</summary>
    public Queue<DuplexStream> ControlQueue { get; } = new();

    /// <summary>Streams open now.</summary>
    public int Count => _streams.Count;

    /// <summary>Has every byte that was written, and every end, been acknowledged?</summary>
    public bool IsFlushed
    {
        get
        {
            foreach (DuplexStream stream in _streams.Values)
            {
                if (stream.Send.HasUnacknowledged)
                    return false;
            }

            return true;
        }
    }

    /// <summary>The congestion window of the path that carries data is this: streams keep as much as it can use.</summary>
    public void FollowCongestion(long window) => _allowance.Follow(window);

    /// <summary>Which shared state a stream belongs to.</summary>
    public ClassState ClassOf(StreamId id) => _classes[(int)id.Class];

    /// <summary>Finds a stream that is open.</summary>
    public bool TryGet(StreamId id, [NotNullWhen(true)] out DuplexStream? stream)
    {
        stream = _latest;
        if (stream is not null && stream.Id.Value == id.Value)
            return true;
        if (!_streams.TryGetValue(id, out stream))
            return false;
        _latest = stream;
        return true;
    }

    /// <summary>Opens a stream here.</summary>
    public bool TryOpen(StreamClass streamClass, out StreamId id)
    {
        bool isOpened = _classes[(int)streamClass].TryOpenLocal(out ulong index);
        id = StreamId.Create(_options.Role, streamClass, index);
        if (isOpened)
            Add(id);
        return isOpened;
    }

    /// <summary>
    /// Finds the stream that a frame of the peer names, opening it and those before it if it is the peer's to open.
    /// Returns an error code if it may not be named; a null stream without an error is one that is already forgotten.
    /// </summary>
    // spec: STR-03, STR-04
    public ulong Resolve(StreamId id, out DuplexStream? stream)
    {
        if (TryGet(id, out stream))
            return TunnelErrorCode.None;
        ClassState shared = ClassOf(id);
        if (id.Opener == _options.Role)
            return id.Index < shared.LocalOpened ? TunnelErrorCode.None : TunnelErrorCode.StreamState;

        ulong next = shared.RemoteOpened;
        if (!shared.TryOpenRemote(id.Index))
            return TunnelErrorCode.StreamLimit;
        for (; next < shared.RemoteOpened; next++)
        {
            stream = Add(StreamId.Create(id.Opener, id.Class, next));
            _events.Add(new StreamOpened(stream.Id));
        }

        return TunnelErrorCode.None;
    }

    /// <summary>Something of the stream may have become ready to send: gives it its place in the queues.</summary>
    public void Schedule(DuplexStream stream)
    {
        ClassState shared = ClassOf(stream.Id);
        if (stream.Send.WantsWithoutCredit || (stream.Send.WantsFresh && shared.SendCredit.Available > 0))
            shared.Ready.Enqueue(stream);
        else if (stream.Send.WantsFresh)
            shared.Blocked.Enqueue(stream);
        else
            stream.Queue?.Remove(stream);
        ScheduleControl(stream);
    }

    /// <summary>A reset, a refusal or credit of the stream may have to be sent.</summary>
    public void ScheduleControl(DuplexStream stream)
    {
        if (stream.IsControlQueued || !stream.WantsControl)
            return;
        stream.IsControlQueued = true;
        ControlQueue.Enqueue(stream);
    }

    /// <summary>Forgets the stream if both directions are over; the peer may then open another.</summary>
    // spec: STR-05
    public void ForgetIfOver(DuplexStream stream)
    {
        if (!stream.IsOver || !_streams.Remove(stream.Id))
            return;
        _latest = null;
        stream.Queue?.Remove(stream);
        stream.Dispose();
        if (stream.Id.Opener != _options.Role)
            ClassOf(stream.Id).HandleRemoteClosed();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DuplexStream stream in _streams.Values)
            stream.Dispose();
        _streams.Clear();
        _latest = null;
    }

    private DuplexStream Add(StreamId id)
    {
        SendHalf send = new(_options.PeerParameters[id.Class].StreamWindow, _allowance, _slabs);
        ReceiveCredit credit = new(_options.LocalParameters[id.Class].StreamWindow, _options.MaxStreamWindow);
        ReceiveHalf receive = new(credit, ClassOf(id).ReceiveCredit, _slabs);
        DuplexStream stream = new(id, send, receive);
        _streams.Add(id, stream);
        return stream;
    }
}
