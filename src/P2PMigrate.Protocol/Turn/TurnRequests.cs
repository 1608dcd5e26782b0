using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>A question to the server that waits for its answer.</summary>
internal sealed class TurnRequest(StunMethod method)
{
    /// <summary>What is asked.</summary>
    public StunMethod Method => method;

    /// <summary>The peer that it is about, if it is about one.</summary>
    public NetworkAddress Peer { get; init; }

    /// <summary>The channel that shall be the peer's.</summary>
    public ushort Channel { get; init; }

    /// <summary>Seconds that the allocation shall live.</summary>
    public uint Lifetime { get; init; }

    /// <summary>Names it.</summary>
    public StunTransactionId Id { get; set; }

    /// <summary>As it is sent.</summary>
    public byte[] Bytes { get; set; } = [];

    /// <summary>Does it bear our name and the proof?</summary>
    public bool IsSigned { get; set; }

    /// <summary>How often the server wanted it signed otherwise.</summary>
    public int Rejections { get; set; }

    /// <summary>How often it was sent.</summary>
    public int Tries { get; set; }

    /// <summary>When it is sent again, or given up.</summary>
    public Instant DueAt { get; set; }
}

/// <summary>The questions to a TURN server: written, signed, repeated until they are answered or given up. One owner.</summary>
// spec: TURN-04
internal sealed class TurnRequests(TurnCredentials credentials, IEntropy entropy)
{
    /// <summary>Until the first repetition; doubles.</summary>
    // spec: CONST-352
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Sendings of a request.</summary>
    // spec: CONST-352
    public const int MaxTries = 7;

    /// <summary>Wait after the last.</summary>
    // spec: CONST-352
    public static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(8);

    private const byte Udp = 17;
    private const int MaxSize = 4 * (TurnCredentials.MaxLength + 5) + 200;

    private readonly List<TurnRequest> _open = [];
    private readonly Queue<byte[]> _outbox = [];

    /// <summary>When <see cref="Repeat"/> is due.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (TurnRequest request in _open)
                next = Instant.Min(next, request.DueAt);
            return next;
        }
    }

    /// <summary>Asks, for the first time or with other credentials.</summary>
    public void Send(Instant now, TurnRequest request)
    {
        request.Id = StunTransactionId.Create(entropy);
        request.IsSigned = credentials.AreKnown;
        request.Bytes = Write(request);
        request.Tries = 0;
        _open.Add(request);
        Emit(now, request);
    }

    /// <summary>An indication, which nobody answers, for the server alone: keeps the way to it open.</summary>
    public void SendKeepAlive()
    {
        byte[] bytes = new byte[StunMessage.HeaderSize];
        new StunWriter(bytes, StunMethod.Binding, StunClass.Indication, StunTransactionId.Create(entropy)).Finish();
        _outbox.Enqueue(bytes);
    }

    /// <summary>Is such a question open?</summary>
    public bool IsOpen(StunMethod method) => _open.Exists(request => request.Method == method);

    /// <summary>The open question that a message answers.</summary>
    public TurnRequest? Find(in StunMessage answer)
    {
        foreach (TurnRequest request in _open)
        {
            if (request.Id == answer.Id && request.Method == answer.Method)
                return request;
        }

        return null;
    }

    /// <summary>It is answered.</summary>
    public void Close(TurnRequest request) => _open.Remove(request);

    /// <summary>Sends again what is due; gives one that stayed without an answer, and is over, or null.</summary>
    public TurnRequest? Repeat(Instant now)
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            TurnRequest request = _open[i];
            if (now < request.DueAt)
                continue;
            if (request.Tries < MaxTries)
            {
                Emit(now, request);
                continue;
            }

            _open.RemoveAt(i);
            return request;
        }

        return null;
    }

    /// <summary>Nothing is asked any more.</summary>
    public void Clear()
    {
        _open.Clear();
        _outbox.Clear();
    }

    /// <summary>The next datagram for the server.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> datagram)
    {
        bool isThere = _outbox.TryDequeue(out byte[]? bytes);
        datagram = bytes;
        return isThere;
    }

    private void Emit(Instant now, TurnRequest request)
    {
        request.DueAt = now + (++request.Tries < MaxTries ? FirstRetryDelay * (1 << (request.Tries - 1)) : LastPatience);
        _outbox.Enqueue(request.Bytes);
    }

    private byte[] Write(TurnRequest request)
    {
        byte[] buffer = new byte[MaxSize];
        var writer = new StunWriter(buffer, request.Method, StunClass.Request, request.Id);
        if (request.Method == StunMethod.Allocate)
            writer.Add(StunAttribute.RequestedTransport, (uint)Udp << 24);
        if (request.Method is StunMethod.Allocate or StunMethod.Refresh)
            writer.Add(StunAttribute.Lifetime, request.Lifetime);
        if (request.Method == StunMethod.ChannelBind)
            writer.Add(StunAttribute.ChannelNumber, (uint)request.Channel << 16);
        if (request.Method is StunMethod.ChannelBind or StunMethod.CreatePermission)
            writer.Add(StunAttribute.XorPeerAddress, request.Peer);
        return buffer[..credentials.Sign(ref writer)];
    }
}
