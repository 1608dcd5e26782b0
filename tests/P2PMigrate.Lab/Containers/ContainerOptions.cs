namespace P2PMigrate.Lab;

/// <summary>What a container of the lab is to run, and in what.</summary>
public sealed record ContainerOptions
{
    /// <summary>The container's id for runc, its host name and its directory below /data.</summary>
    public required string Name { get; init; }

    /// <summary>The program, found on the container's PATH, and its arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The host's path of the root file system that is copied. The default holds redis, Python and a shell.</summary>
    public string Template { get; init; } = VirtualHost.ContainerTemplate;

    /// <summary>The host's path of a network namespace made before; null gives the container an empty one.</summary>
    public string? NetworkNamespacePath { get; init; }

    /// <summary>Directories of the host that the container shows.</summary>
    public IReadOnlyList<BindMount> Mounts { get; init; } = [];

    /// <summary>In bytes. Set only where the host's cgroup2 has a memory controller: elsewhere runc would refuse.</summary>
    public long? MemoryLimit { get; init; }
}
