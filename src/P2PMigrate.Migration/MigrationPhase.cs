namespace P2PMigrate.Migration;

/// <summary>What a job is doing, in the order in which a good run does it. Both roles use the same words.</summary>
public enum MigrationPhase
{
    /// <summary>The target looks whether the container can run there.</summary>
    Checking,

    /// <summary>The root file system is copied in rounds while the container runs.</summary>
    Copying,

    /// <summary>The container is taken off its network and stopped. Downtime begins here.</summary>
    Freezing,

    /// <summary>CRIU dumps; memory flows to the target meanwhile.</summary>
    Dumping,

    /// <summary>The other images and what changed on the root file system since the last round.</summary>
    Shipping,

    /// <summary>The target verifies the images and restores the container up to before its first instruction.</summary>
    Restoring,

    /// <summary>The commit point is written, and the target lets the container run. Downtime ends here.</summary>
    Committing,

    /// <summary>The container runs at the target, and memory that was left at the source follows.</summary>
    Giving,

    /// <summary>The source destroys its copy.</summary>
    Destroying,

    /// <summary>Something failed before the commit point: the source thaws, the target removes what it has.</summary>
    RollingBack,
}
