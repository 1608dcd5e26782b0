namespace P2PMigrate.Containers.Runc;

/// <summary>Where runc and its containers are. The defaults fit a plain installation.</summary>
public sealed record RuncOptions
{
    /// <summary>The runc program: a name on PATH or a path.</summary>
    public string Runc { get; init; } = "runc";

    /// <summary>The criu program. For a restore runc itself finds CRIU by the name <c>criu</c> on PATH; this one dumps, and is asked for its version and checks.</summary>
    public string Criu { get; init; } = "criu";

    /// <summary>runc's state directory (<c>runc --root</c>); null for runc's own default.</summary>
    public string? StateRoot { get; init; }

    /// <summary>
    /// The command that gives memory pages to a restored container while it runs, without its last words; null restores all memory first. For a program of ours that is what calls <see cref="Lazy.PageProgram"/>.
    /// </summary>
    public IReadOnlyList<string>? PageProgram { get; init; }

    /// <summary>Where incoming containers are kept; only its free space is looked at.</summary>
    public string DataDirectory { get; init; } = "/var/lib/p2pmigrate";
}
