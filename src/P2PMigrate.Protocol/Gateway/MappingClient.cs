using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>How far one protocol has come.</summary>
internal enum ClientStage
{
    /// <summary>It is not used.</summary>
    Idle,

    /// <summary>Does the gateway speak it?</summary>
    Searching,

    /// <summary>It does; nothing is mapped yet.</summary>
    Found,

    /// <summary>It was asked for a mapping.</summary>
    Asking,

    /// <summary>There is a mapping, which is kept.</summary>
    Mapped,

    /// <summary>It does not, will not, or has stopped to.</summary>
    Failed,
}

/// <summary>
/// One protocol's talk with the gateway. <see cref="GatewayMapper"/> owns it, starts all at once, and lets the best one
/// go on:
/// <code>
/// Idle -> Searching -> Found -> Asking -> Mapped (renews, checks)
///              \---------\--------\---------\--> Failed
/// </code>
/// </summary>
internal abstract class MappingClient(GatewayMapperOptions options, GatewayOutbox outbox)
{
    /// <summary>Which protocol it is.</summary>
    public abstract MappingProtocol Protocol { get; }

    /// <summary>How far it has come.</summary>
    public ClientStage Stage { get; protected set; }

    /// <summary>Why it failed.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>What the gateway granted and has not taken back.</summary>
    public PortMapping? Mapping { get; protected set; }

    /// <summary>Has the gateway been asked for something that it may still hold?</summary>
    public bool MayHoldMapping { get; protected set; }

    /// <summary>Is there nothing left to release, or no hope to?</summary>
    public bool IsReleased { get; protected set; }

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public abstract Instant NextTimeout { get; }

    /// <summary>The options of all.</summary>
    protected GatewayMapperOptions Options => options;

    /// <summary>Where requests go.</summary>
    protected GatewayOutbox Outbox => outbox;

    /// <summary>Looks whether the gateway speaks it.</summary>
    public abstract void Search(Instant now);

    /// <summary>Asks for the mapping. Only in <see cref="ClientStage.Found"/>.</summary>
    public abstract void Map(Instant now);

    /// <summary>The gateway may have forgotten: asks for the mapping again.</summary>
    public abstract void Recheck(Instant now);

    /// <summary>Asks the gateway to forget the mapping, if there may be one.</summary>
    // spec: PATH-56
    public abstract void Release(Instant now);

    /// <summary>Another protocol does the work.</summary>
    public virtual void Stop() => Stage = ClientStage.Idle;

    /// <summary>Does what is due.</summary>
    public abstract void HandleTimeout(Instant now);

    /// <summary>This protocol is of no use, or not any more.</summary>
    protected virtual void Fail(string reason)
    {
        Reason = reason;
        Mapping = null;
        Stage = ClientStage.Failed;
    }

    /// <summary>The lifetime to ask for.</summary>
    protected uint LifetimeSeconds => (uint)options.Lifetime.TotalSeconds;

    /// <summary>
    /// When a mapping is to be renewed: at half its life, but a gateway that grants very little is not asked all the time,
    /// and one that grants for ever is asked now and then.
    /// </summary>
    // spec: PATH-54, CONST-202
    protected static TimeSpan RenewalAfter(TimeSpan lifetime) =>
        TimeSpan.FromTicks(Math.Clamp(lifetime.Ticks / 2, TimeSpan.TicksPerSecond, TimeSpan.TicksPerDay));

    /// <summary>The gateway at one of its ports.</summary>
    protected NetworkAddress GatewayAt(ushort port) => options.Gateway.WithPort(port);
}
