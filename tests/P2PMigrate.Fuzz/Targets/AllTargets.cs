using P2PMigrate.Fuzz.Engine;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>Everything that reads bytes of a peer, by name.</summary>
internal static class AllTargets
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        .. SessionTargets.List, .. HandshakeTargets.List, .. RendezvousTargets.List, .. FleetTargets.List, .. SnapshotTargets.List, .. MigrationTargets.List,
        .. ContainerTargets.List, .. GatewayTargets.List, .. TurnTargets.List,
    ];

    /// <summary>The one of this name.</summary>
    public static FuzzTarget Get(string name) =>
        List.FirstOrDefault(target => target.Name == name) ?? throw new ArgumentException($"There is no target `{name}`.");
}
