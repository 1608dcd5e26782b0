namespace P2PMigrate.Containers.Trees;

/// <summary>Where CRIU is, for process trees without a container around them. The defaults fit a plain installation.</summary>
public sealed record TreeOptions
{
    /// <summary>The criu program: a name on PATH or a path.</summary>
    public string Criu { get; init; } = "criu";

    /// <summary>Where incoming trees are kept; its free space is looked at, and it holds an empty directory that stands for the root file system of every tree.</summary>
    public string DataDirectory { get; init; } = "/var/lib/p2pmigrate";
}
