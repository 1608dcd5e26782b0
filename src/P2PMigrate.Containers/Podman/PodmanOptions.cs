namespace P2PMigrate.Containers.Podman;

/// <summary>Where Podman and what it works with are. The defaults fit a plain installation.</summary>
public sealed record PodmanOptions
{
    /// <summary>The podman program: a name on PATH or a path.</summary>
    public string Podman { get; init; } = "podman";

    /// <summary>The criu program: it dumps and restores, and is asked for its version and checks.</summary>
    public string Criu { get; init; } = "criu";

    /// <summary>Where incoming containers are kept; only its free space is looked at.</summary>
    public string DataDirectory { get; init; } = "/var/lib/p2pmigrate";
}
