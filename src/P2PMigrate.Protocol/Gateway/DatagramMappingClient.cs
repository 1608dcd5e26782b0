namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// What PCP and NAT-PMP have in common: one request at a time, repeated until the answer; a mapping that is renewed at half
/// its life until it expires; questions in between whether the gateway still remembers.
/// </summary>
// spec: PATH-54
internal abstract class DatagramMappingClient(GatewayMapperOptions options, GatewayOutbox outbox) : MappingClient(options, outbox)
{
    /// <summary>Time to the first repetition; doubles from there.</summary>
    // spec: CONST-203
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest time between repetitions, while a mapping stands that wants to be renewed.</summary>
    // spec: CONST-203
    public static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(64);

    /// <summary>Sendings of a request before the gateway counts as silent.</summary>
    // spec: CONST-203
    public const int MaxTries = 4;

    private Instant _repeatAt = Instant.Never;
    private Instant _renewAt = Instant.Never;
    private Instant _checkAt = Instant.Never;
    private TimeSpan _delay;
    private int _tries;

    /// <summary>What was asked and is not answered yet.</summary>
    protected enum Question
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>Do you speak this?</summary>
        Search,

        /// <summary>Map, or go on mapping.</summary>
        Map,

        /// <summary>Do you remember?</summary>
        Check,

        /// <summary>Forget.</summary>
        Delete,
    }

    /// <summary>The open question.</summary>
    protected Question Open { get; private set; }

    /// <summary>Whether the gateway still remembers.</summary>
    protected GatewayEpoch Epoch { get; } = new();

    /// <inheritdoc/>
    public override Instant NextTimeout => Stage is ClientStage.Idle or ClientStage.Failed && Open != Question.Delete
        ? Instant.Never
        : Instant.Min(Open != Question.None ? _repeatAt : Instant.Min(_renewAt, _checkAt), Mapping?.ExpiresAt ?? Instant.Never);

    /// <inheritdoc/>
    public override void Search(Instant now)
    {
        Stage = ClientStage.Searching;
        (_renewAt, _checkAt) = (Instant.Never, Instant.Never);
        Epoch.Reset();
        Ask(now, Question.Search);
    }

    /// <inheritdoc/>
    public override void Map(Instant now)
    {
        Stage = ClientStage.Asking;
        Ask(now, Question.Map);
    }

    /// <inheritdoc/>
    public override void Recheck(Instant now) => Ask(now, Question.Map);

    /// <inheritdoc/>
    public override void Release(Instant now)
    {
        // A gateway that has not said a word probably never will: it is told once, and nobody waits for it.
        IsReleased = !MayHoldMapping || Stage == ClientStage.Searching;
        Mapping = null;
        Stop();
        if (MayHoldMapping)
            Ask(now, Question.Delete);
        if (IsReleased)
            Stop();
    }

    /// <inheritdoc/>
    public override void Stop()
    {
        base.Stop();
        Open = Question.None;
    }

    /// <inheritdoc/>
    public override void HandleTimeout(Instant now)
    {
        if (now < NextTimeout)
            return;
        if (Open != Question.Delete && Mapping is { } mapping && now >= mapping.ExpiresAt)
            Fail("The gateway has stopped to answer, and the mapping expired.");
        else if (Open == Question.None)
            Ask(now, now >= _renewAt ? Question.Map : Question.Check);
        else if (_tries < MaxTries || (Open == Question.Map && Mapping is not null))
            Send(now);
        else
            GiveUp(now);
    }

    /// <summary>The question as a datagram.</summary>
    protected abstract byte[] Compose(Question question);

    /// <summary>The open question is answered.</summary>
    protected void Answered()
    {
        if (Open == Question.Delete)
            (IsReleased, MayHoldMapping) = (true, false);
        Open = Question.None;
    }

    /// <summary>The gateway granted or renewed.</summary>
    protected void Granted(Instant now, Wire.NetworkAddress external, uint lifetimeSeconds)
    {
        var lifetime = TimeSpan.FromSeconds(lifetimeSeconds);
        Open = Question.None;
        Stage = ClientStage.Mapped;
        Mapping = new PortMapping(Protocol, external, now + lifetime);
        _renewAt = now + RenewalAfter(lifetime);
        _checkAt = now + Options.CheckInterval;
    }

    /// <summary>The gateway remembers.</summary>
    protected void Remembered(Instant now)
    {
        Open = Question.None;
        _checkAt = now + Options.CheckInterval;
    }

    /// <inheritdoc/>
    protected override void Fail(string reason)
    {
        base.Fail(reason);
        Open = Question.None;
    }

    /// <summary>Asks, in place of what was asked before.</summary>
    protected void Ask(Instant now, Question question)
    {
        Open = question;
        MayHoldMapping |= question == Question.Map;
        _delay = FirstRetryDelay;
        _tries = 0;
        Send(now);
    }

    private void Send(Instant now)
    {
        Outbox.Send(GatewayChannel.Control, GatewayAt(Pcp.ServerPort), Compose(Open));
        _tries++;
        _repeatAt = now + _delay;
        _delay = _delay * 2 < MaxRetryDelay ? _delay * 2 : MaxRetryDelay;
    }

    private void GiveUp(Instant now)
    {
        if (Open == Question.Delete)
            Answered();
        else if (Open == Question.Check)
            Ask(now, Question.Map);
        else
            FailSilent();
    }

    private void FailSilent()
    {
        MayHoldMapping &= Open != Question.Search;
        Fail("The gateway does not answer.");
    }
}
