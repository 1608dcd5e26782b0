namespace P2PMigrate.Lab;

/// <summary>What a lab is to be like.</summary>
public sealed record LabOptions
{
    /// <summary>Must be free on this machine; null makes one up.</summary>
    public string? Name { get; init; }

    public NatKind SourceNat { get; init; } = NatKind.PortRestricted;

    public NatKind TargetNat { get; init; } = NatKind.PortRestricted;

    /// <summary>Whether the target is behind the source's router; its own is then idle.</summary>
    public NatSharing Sharing { get; init; }

    /// <summary>How far the rendezvous host is from the core, such as <c>delay=15ms</c> each way; null for no distance at all.</summary>
    public string? RendezvousLeg { get; init; }

    /// <summary>What both virtual hosts show of this machine's files.</summary>
    public IReadOnlyList<BindMount> Binds { get; init; } = [];
}
