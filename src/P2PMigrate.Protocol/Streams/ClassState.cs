using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>What all streams of one class share: credit in both directions, limits on how many there are, and their queues.</summary>
internal sealed class ClassState(StreamClass streamClass, ClassLimits local, ClassLimits peer, ReceiveCredit receiveCredit)
{
    /// <summary>Packets that better classes may fill before this one gets one, if it has something to send.</summary>
    // spec: CONST-141
    public const int MaxPacketsWaited = 31;

    private const ulong StreamsUpdateFraction = 4;

    private ulong _remoteAccepted;

    private ulong _remoteClosed;
    private ulong _remoteGranted = local.Streams;
    private ulong _localLimit = peer.Streams;
    private bool _isCreditLost;
    private bool _isLimitLost;
    private bool _isOpenRefused;

    // Neither streams that are open nor streams that nobody accepted are ever more than the limit.
    // spec: STR-06
    private ulong NextGrant => Math.Min(_remoteClosed, _remoteAccepted) + local.Streams;

    /// <summary>Which class.</summary>
    public StreamClass Class => streamClass;

    /// <summary>Credit that the peer gives to the class.</summary>
    public SendCredit SendCredit { get; } = new(peer.ClassWindow);

    /// <summary>Credit that we give to the class.</summary>
    // spec: STR-23
    public ReceiveCredit ReceiveCredit => receiveCredit;

    /// <summary>Streams that can send now.</summary>
    public StreamQueue Ready { get; } = new();

    /// <summary>Streams that have nothing but new bytes to send while <see cref="SendCredit"/> is used up.</summary>
    public StreamQueue Blocked { get; } = new();

    /// <summary>Packets built while the class had something to send and nothing of it went in.</summary>
    public int PacketsWaited { get; set; }

    /// <summary>Streams opened here so far: the index of the next one.</summary>
    public ulong LocalOpened { get; private set; }

    /// <summary>Streams opened by the peer so far.</summary>
    public ulong RemoteOpened { get; private set; }

    /// <summary>Is a frame with more class credit worth sending, or was the last one lost?</summary>
    public bool IsCreditPending => _isCreditLost || receiveCredit.IsUpdateDue;

    /// <summary>Is a frame with a new limit on streams worth sending, or was the last one lost?</summary>
    public bool IsLimitPending =>
        _isLimitLost || NextGrant - _remoteGranted >= Math.Max(1, local.Streams / StreamsUpdateFraction);

    /// <summary>Opens a stream here; false when the peer allows no more.</summary>
    public bool TryOpenLocal(out ulong index)
    {
        index = LocalOpened;
        bool isAllowed = index < _localLimit;
        _isOpenRefused |= !isAllowed;
        LocalOpened += isAllowed ? 1UL : 0;
        return isAllowed;
    }

    /// <summary>The peer uses the stream with this index, and thereby opens those before it; false when it may not.</summary>
    // spec: STR-03
    public bool TryOpenRemote(ulong index)
    {
        if (index >= _remoteGranted)
            return false;
        RemoteOpened = Math.Max(RemoteOpened, index + 1);
        return true;
    }

    /// <summary>A stream that the peer opened is forgotten: it may open another, if the application accepted as many.</summary>
    public void HandleRemoteClosed() => _remoteClosed++;

    /// <summary>The application accepted a stream that the peer opened.</summary>
    public void HandleAccepted() => _remoteAccepted = Math.Min(_remoteAccepted + 1, RemoteOpened);

    /// <summary>The peer names a limit; true when somebody was refused before and would not be now.</summary>
    public bool TryRaiseLimit(ulong limit)
    {
        _localLimit = Math.Max(_localLimit, limit);
        bool isNews = _isOpenRefused && LocalOpened < _localLimit;
        _isOpenRefused &= !isNews;
        return isNews;
    }

    /// <summary>The peer gives credit to the class.</summary>
    public void RaiseCredit(ulong limit)
    {
        if (SendCredit.TryRaise(limit))
            Blocked.MoveTo(Ready);
    }

    /// <summary>More class credit is being written into a packet; returns the limit.</summary>
    public ulong TakeCredit(Instant now, TimeSpan roundTrip)
    {
        _isCreditLost = false;
        return receiveCredit.Grant(now, roundTrip);
    }

    /// <summary>A new limit on streams is being written into a packet; returns it.</summary>
    public ulong TakeLimit()
    {
        _isLimitLost = false;
        return _remoteGranted = NextGrant;
    }

    /// <summary>A frame with class credit was lost.</summary>
    public void HandleCreditLost() => _isCreditLost = true;

    /// <summary>A frame with a limit on streams was lost.</summary>
    public void HandleLimitLost() => _isLimitLost = true;
}
