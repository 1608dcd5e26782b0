using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Control;

/// <summary>What the two machines say to each other: parsed, bounded and checked. One record per message of chapter 11, section 4.</summary>
internal abstract record ControlMessage;

/// <summary>Source: may this container come to you?</summary>
internal sealed record Propose(JobId JobId, ContainerName Name, ContainerDescription Container, MachineFacts Machine, long RootfsBytes) : ControlMessage
{
    /// <summary>The source's time of day when it made the proposal; null when it does not say, as in an archive.</summary>
    // spec: MIG-185
    public DateTimeOffset? MadeAt { get; init; }
}

/// <summary>Target: yes. The ticket is spent.</summary>
internal sealed record Accept : ControlMessage
{
    /// <summary>What the target has learned of the costs of a switchover; null when it has not.</summary>
    // spec: MIG-123
    public DowntimeCosts? Costs { get; init; }

    /// <summary>May memory follow when the container runs already?</summary>
    // spec: MIG-101
    public bool TakesLate { get; init; }
}

/// <summary>Target: no, and why. Nothing was changed.</summary>
internal sealed record Refuse(string Reason, IReadOnlyList<Finding> Findings) : ControlMessage;

/// <summary>Target, to a question: all that it found, what is good too. Nothing was changed.</summary>
// spec: MIG-170
internal sealed record Answer(IReadOnlyList<Finding> Findings) : ControlMessage;

/// <summary>Source, in doubt: what became of this job of ours?</summary>
// spec: MIG-190
internal sealed record Inquiry(JobId JobId) : ControlMessage;

/// <summary>Target, to an inquiry.</summary>
internal sealed record Fate(JobFate Of) : ControlMessage;

/// <summary>Either: may I use the place that you keep?</summary>
// spec: DEP-50
internal sealed record PlaceAsked : ControlMessage;

/// <summary>To that: yes, in this session.</summary>
internal sealed record PlaceOpened : ControlMessage;

/// <summary>Source: everything was sent and stored; build the container and hold it. Counts as lease request 0.</summary>
internal sealed record Prepare : ControlMessage;

/// <summary>Source: keep your promise to hold from now on.</summary>
internal sealed record LeaseRequest(ulong Number) : ControlMessage;

/// <summary>Target: the container is built and held.</summary>
internal sealed record Prepared(ulong Lease, PrepareTimes Times) : ControlMessage;

/// <summary>Target: it is still held.</summary>
internal sealed record StillPrepared(ulong Lease) : ControlMessage;

/// <summary>Source: I have committed. Let it run.</summary>
internal sealed record Commit : ControlMessage;

/// <summary>Target: it runs, so long after the commit was heard.</summary>
internal sealed record Running(TimeSpan Release) : ControlMessage;

/// <summary>Source: I heard that it runs.</summary>
internal sealed record Done : ControlMessage;

/// <summary>Either: this job ends here.</summary>
internal sealed record Abort(string Reason) : ControlMessage;

/// <summary>Where the target's time went between the frozen source's last content and <see cref="Prepared"/>.</summary>
internal readonly record struct PrepareTimes(TimeSpan Apply, TimeSpan Verify, TimeSpan Restore, TimeSpan Flush);

/// <summary>All that the target tells of its part of the downtime.</summary>
internal readonly record struct TargetTimes(PrepareTimes Prepare, TimeSpan Release);
