namespace P2PMigrate.Containers.Lxc;

/// <summary>Where LXC and its containers are. The defaults fit a plain installation.</summary>
public sealed record LxcOptions
{
    /// <summary>The criu program: a name on PATH or a path.</summary>
    public string Criu { get; init; } = "criu";

    /// <summary>The directory of the containers' configurations (<c>lxc.lxcpath</c>); null for LXC's own default.</summary>
    public string? ContainersPath { get; init; }

    /// <summary>Where incoming containers are kept; only its free space is looked at.</summary>
    public string DataDirectory { get; init; } = "/var/lib/p2pmigrate";
}
