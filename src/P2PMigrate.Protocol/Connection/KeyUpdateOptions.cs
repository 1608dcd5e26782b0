namespace P2PMigrate.Protocol.Connection;

/// <summary>When a connection moves to the next epoch by itself. It always follows the peer.</summary>
public sealed record KeyUpdateOptions
{
    /// <summary>Packets sealed in one epoch, all labels together, before the next begins.</summary>
    public ulong AfterPackets { get; init; } = 1UL << 22;

    /// <summary>Packets sealed in one epoch after which the session ends, because the peer does not follow.</summary>
    public ulong MaxPackets { get; init; } = (1UL << 23) - 4096;

    /// <summary>Packets that failed to open in one epoch before the next begins: forgeries wear a key out too.</summary>
    // spec: CONST-143
    public ulong AfterForgeries { get; init; } = 1UL << 35;

    /// <summary>Packets that failed to open in one epoch after which the session ends.</summary>
    public ulong MaxForgeries { get; init; } = (1UL << 36) - 4096;

    /// <summary>Age of an epoch before the next begins, once there is something to send.</summary>
    public TimeSpan AfterTime { get; init; } = TimeSpan.FromSeconds(120);
}
