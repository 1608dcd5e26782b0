using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// A control point for Internet Gateway Devices, versions 1 and 2. One thing at a time:
/// <code>
/// Search -> Describe -> Locate -> (found) -> Add -> Locate -> (mapped) -> Verify -> Locate ...
///    ^--- next device ---/   ^--- next service --/
/// </code>
/// A device that cannot be asked any more has restarted at another port or is gone: the client fails, and the mapper
/// searches again.
/// </summary>
// spec: PATH-53, PATH-54
internal sealed class UpnpClient(GatewayMapperOptions options, GatewayOutbox outbox, IEntropy entropy) : MappingClient(options, outbox)
{
    /// <summary>How long an HTTP exchange may take.</summary>
    // spec: CONST-205
    public static readonly TimeSpan ExchangePatience = TimeSpan.FromSeconds(5);

    /// <summary>Time to the first repetition of the search; doubles from there.</summary>
    // spec: CONST-206
    public static readonly TimeSpan FirstSearchDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Sendings of the search before no device counts as there.</summary>
    // spec: CONST-206
    public const int MaxSearches = 3;

    /// <summary>External ports that are asked for, when all are somebody else's, and descriptions that are read.</summary>
    // spec: CONST-206
    public const int MaxAttempts = 4;

    private readonly HashSet<GatewayUrl> _read = [];
    private IReadOnlyList<IgdService> _services = [];
    private GatewayUrl _description;
    private NetworkAddress _externalHost;
    private Step _step;
    private Instant _deadline = Instant.Never;
    private Instant _renewedAt;
    private TimeSpan _searchDelay;
    private int _searches;
    private int _service;
    private int _exchange;
    private int _conflicts;
    private ushort _port;
    private uint _lease;
    private bool _asksForAny;
    private bool _isLeaving;

    private enum Step
    {
        Rest,
        Search,
        Describe,
        Locate,
        Add,
        Verify,
        Remove,
    }

    /// <inheritdoc/>
    public override MappingProtocol Protocol => MappingProtocol.Upnp;

    /// <inheritdoc/>
    public override Instant NextTimeout => _step == Step.Rest && Stage != ClientStage.Mapped ? Instant.Never : _deadline;

    private IgdService Service => _services[_service];

    /// <inheritdoc/>
    public override void Search(Instant now)
    {
        Stage = ClientStage.Searching;
        _read.Clear();
        _step = Step.Search;
        _searches = 0;
        _searchDelay = FirstSearchDelay;
        SendSearch(now);
    }

    /// <inheritdoc/>
    public override void Map(Instant now)
    {
        Stage = ClientStage.Asking;
        _port = Mapping?.External.Port ?? Options.Internal.Port;
        _lease = LifetimeSeconds;
        _asksForAny = Service.IsVersion2;
        _conflicts = 0;
        Add(now);
    }

    /// <inheritdoc/>
    public override void Recheck(Instant now) => Ask(now, Step.Verify, IgdAction.Get(_port));

    /// <inheritdoc/>
    public override void Release(Instant now)
    {
        Mapping = null;
        Stage = ClientStage.Idle;
        _isLeaving = true;
        IsReleased = !MayHoldMapping || _services.Count == 0;
        if (IsReleased)
            _step = Step.Rest;
        else if (_step != Step.Add) // What is being added now is removed when it is there.
            Ask(now, Step.Remove, IgdAction.Delete(_port));
    }

    /// <inheritdoc/>
    public override void Stop()
    {
        base.Stop();
        _step = Step.Rest;
    }

    /// <inheritdoc/>
    public override void HandleTimeout(Instant now)
    {
        if (now < NextTimeout)
            return;
        if (_step == Step.Search && _searches < MaxSearches)
            SendSearch(now);
        else if (_step == Step.Rest && Mapping is { } mapping)
            Renew(now, mapping);
        else
            HandleSilence(now);
    }

    /// <summary>An answer to the search came from the gateway's address.</summary>
    public Refusal HandleSearchAnswer(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (_step != Step.Search)
            return Refusal.Unexpected;
        if (!Ssdp.TryParse(datagram, Options.Gateway, out GatewayUrl description, out Refusal refusal))
            return refusal;
        if (_read.Count >= MaxAttempts || !_read.Add(description))
            return Refusal.Unexpected;
        _description = description;
        _step = Step.Describe;
        _exchange = Outbox.Exchange(description.Server, description.Get());
        _deadline = now + ExchangePatience;
        return Refusal.None;
    }

    /// <summary>An exchange is over; <paramref name="bytes"/> is all that came, maybe nothing.</summary>
    public Refusal HandleReply(Instant now, int exchange, ReadOnlySpan<byte> bytes)
    {
        if (exchange != _exchange || _step is Step.Rest or Step.Search)
            return Refusal.Unexpected;
        if (!HttpReply.TryParse(bytes, isClosed: true, out HttpReply? reply, out Refusal refusal))
        {
            HandleSilence(now);
            return refusal;
        }

        if (_step == Step.Describe)
            return HandleDescription(now, reply!);
        if (!IgdAnswer.TryParse(reply!.Status, reply.Body.Span, out IgdAnswer? answer, out refusal))
        {
            HandleSilence(now);
            return refusal;
        }

        HandleAnswer(now, answer!);
        return Refusal.None;
    }

    /// <inheritdoc/>
    protected override void Fail(string reason)
    {
        base.Fail(reason);
        _step = Step.Rest;
    }

    private void SendSearch(Instant now)
    {
        foreach (string target in Ssdp.Targets)
        {
            Outbox.Send(GatewayChannel.Search, GatewayAt(Ssdp.Port), Ssdp.Search(target));
            Outbox.Send(GatewayChannel.Search, Ssdp.Group, Ssdp.Search(target));
        }

        _searches++;
        _deadline = now + _searchDelay;
        _searchDelay *= 2;
    }

    private Refusal HandleDescription(Instant now, HttpReply reply)
    {
        Refusal refusal = Refusal.BadValue;
        if (reply.Status != 200 || !DeviceDescription.TryParse(reply.Body.Span, _description, out _services, out refusal) || _services.Count == 0)
        {
            SearchOn(now);
            return refusal;
        }

        _service = 0;
        Ask(now, Step.Locate, IgdAction.GetExternalAddress());
        return Refusal.None;
    }

    private void HandleAnswer(Instant now, IgdAnswer answer)
    {
        switch (_step)
        {
            case Step.Locate:
                HandleAddress(now, answer);
                break;
            case Step.Add:
                HandleAdded(now, answer);
                break;
            case Step.Verify when answer.Error == IgdError.None && IsMine(answer):
                Ask(now, Step.Locate, IgdAction.GetExternalAddress());
                break;
            case Step.Verify:
                Map(now); // Forgotten, or somebody else's by now.
                break;
            case Step.Remove:
                (IsReleased, MayHoldMapping, _step) = (true, false, Step.Rest);
                break;
        }
    }

    private void HandleAddress(Instant now, IgdAnswer answer)
    {
        NetworkAddress host = answer.Error == IgdError.None ? answer.Host("NewExternalIPAddress") : default;
        if (Stage == ClientStage.Searching && !host.WithPort(1).IsUsable)
        {
            if (++_service < _services.Count)
                Ask(now, Step.Locate, IgdAction.GetExternalAddress());
            else
                Fail(answer.Error == IgdError.None ? "The gateway has no address outside." : answer.Error.ToSentence());
            return;
        }

        _step = Step.Rest;
        if (!host.IsNone)
            _externalHost = host;
        if (Stage == ClientStage.Searching)
            Stage = ClientStage.Found;
        else if (Mapping is { } mapping)
            Rest(now, mapping with { External = _externalHost.WithPort(_port) });
    }

    private void Add(Instant now) => Ask(now, Step.Add, IgdAction.Add(
        _asksForAny, _port, Options.Internal.ToIPAddress().ToString(), Options.Internal.Port, Options.Description, _lease));

    private void HandleAdded(Instant now, IgdAnswer answer)
    {
        if (_isLeaving)
            Ask(now, Step.Remove, IgdAction.Delete(_asksForAny && answer.Port("NewReservedPort") is > 0 and var given ? given : _port));
        else if (answer.Error == IgdError.None)
            HandleMapped(now, answer);
        else if (_asksForAny && answer.Error.IsUnknownAction())
            AddOtherwise(now, any: false, _port, _lease);
        else if (answer.Error.IsConflict() && ++_conflicts < MaxAttempts)
            AddOtherwise(now, _asksForAny, AnyPort(), _lease);
        else if (answer.Error.MayBeLease() && _lease != 0)
            AddOtherwise(now, _asksForAny, _port, lease: 0);
        else
            Fail(answer.Error.ToSentence());
    }

    private void AddOtherwise(Instant now, bool any, ushort port, uint lease)
    {
        (_asksForAny, _port, _lease) = (any, port, lease);
        Add(now);
    }

    private void HandleMapped(Instant now, IgdAnswer answer)
    {
        if (_asksForAny && answer.Port("NewReservedPort") is > 0 and var given)
            _port = given;
        _asksForAny = false; // A renewal is of this port.
        Stage = ClientStage.Mapped;
        Instant expiresAt = _lease == 0 ? Instant.Never : now + TimeSpan.FromSeconds(_lease);
        _renewedAt = now;
        Rest(now, new PortMapping(Protocol, _externalHost.WithPort(_port), expiresAt));
    }

    private Instant RenewAt => _renewedAt + RenewalAfter(_lease == 0 ? Options.Lifetime : TimeSpan.FromSeconds(_lease));

    private void Rest(Instant now, PortMapping mapping)
    {
        Mapping = mapping;
        _step = Step.Rest;
        _deadline = Instant.Min(RenewAt, now + Options.CheckInterval);
    }

    private void Renew(Instant now, PortMapping mapping)
    {
        if (now < RenewAt)
            Recheck(now);
        else if (now < mapping.ExpiresAt)
            Add(now);
        else
            Fail("The gateway's mapping expired.");
    }

    private bool IsMine(IgdAnswer answer) =>
        answer.Port("NewInternalPort") == Options.Internal.Port && answer.Host("NewInternalClient").HasSameHost(Options.Internal);

    private void HandleSilence(Instant now)
    {
        if (_step == Step.Describe)
            SearchOn(now);
        else if (_step == Step.Remove || _isLeaving)
            (IsReleased, _step) = (true, Step.Rest);
        else
            Fail(_step == Step.Search ? "No gateway answers to UPnP." : "The gateway's UPnP has stopped to answer.");
    }

    /// <summary>This device was none; another answer may come, or has been sent already and comes again.</summary>
    private void SearchOn(Instant now)
    {
        _step = Step.Search;
        _deadline = now + _searchDelay;
    }

    private void Ask(Instant now, Step step, IgdAction action)
    {
        _step = step;
        MayHoldMapping |= step == Step.Add;
        _exchange = Outbox.Exchange(Service.Control.Server, action.ToRequest(Service));
        _deadline = now + ExchangePatience;
    }

    private ushort AnyPort()
    {
        Span<byte> bytes = stackalloc byte[2];
        entropy.Fill(bytes);
        return (ushort)(1024 + BinaryPrimitives.ReadUInt16LittleEndian(bytes) % (65_536 - 1024));
    }
}
