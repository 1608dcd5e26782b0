namespace P2PMigrate.Migration;

/// <summary>Every timer of a migration, on one screen. Both peers use their own; the lease pair must agree (spec: MIG-41).</summary>
public sealed record MigrationTimers
{
    /// <summary>Bytes a second that any target's disk writes of a container's memory (spec: MIG-86).</summary>
    public const double SlowestDisk = 16 << 20;

    /// <summary>Target: from the session's start until something is proposed.</summary>
    public TimeSpan Proposal { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Source: from the proposal until it is accepted or refused.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Source: no progress at all while the container runs.</summary>
    public TimeSpan CopyStall { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Source: the freeze must be done.</summary>
    public TimeSpan Freeze { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Source: no progress at all while the container is frozen and content flows, besides the time that <see cref="SlowestDisk"/> takes for its memory.</summary>
    public TimeSpan FrozenStall { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Source: from the last content until the target is prepared (verify and restore), besides the time that <see cref="SlowestDisk"/> takes for its memory.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Source: how often it renews the target's promise to hold.</summary>
    public TimeSpan LeaseRenewal { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Source: an answer to a lease request no older than this and two round trips tells what holds now.</summary>
    public TimeSpan FreshAnswer { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>Source: it never commits later than this after sending the lease request that the target has answered.</summary>
    public TimeSpan CommitLease { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Target: it holds a prepared container this long after the last lease request it heard.</summary>
    public TimeSpan HoldLease { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>Source: from the commit until the target says that the container runs.</summary>
    public TimeSpan Running { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Source: pause before a thaw or a destroy that failed is tried again.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Target: no progress at all while content should arrive.</summary>
    public TimeSpan ReceiveStall { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Target: how long it waits for the source's last word after the container runs: longer than a silent session lives.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Both: how long a broken stream waits for the peer's own word on why.</summary>
    public TimeSpan PeersWord { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Source: when nothing has been asked for so long, and for two round trips more, of memory that follows a container, the rest of it begins to follow.</summary>
    // spec: CONST-384
    public TimeSpan AskingCalm { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Source: until the rest begins to follow in any case.</summary>
    // spec: CONST-384
    public TimeSpan AskingPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Both: how long the last messages of a job may take to be handed to the tunnel.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Both: least time between two <see cref="ProgressKind.Advanced"/> reports.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Both: how often a job looks whether its abort was asked for from outside.</summary>
    // spec: CONST-393
    public TimeSpan AbortLook { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Whoever asked for an abort: how long it waits for the end of the job.</summary>
    public TimeSpan AbortPatience { get; init; } = TimeSpan.FromSeconds(60);
}
