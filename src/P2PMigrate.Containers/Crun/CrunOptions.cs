using P2PMigrate.Containers.Runc;

namespace P2PMigrate.Containers.Crun;

/// <summary>Where crun and its containers are. The defaults fit a plain installation.</summary>
public sealed record CrunOptions
{
    /// <summary>The crun program: a name on PATH or a path.</summary>
    public string Crun { get; init; } = "crun";

    /// <summary>The criu program. For a restore crun itself finds CRIU by the name <c>criu</c> on PATH; this one dumps, and is asked for its version and checks.</summary>
    public string Criu { get; init; } = "criu";

    /// <summary>crun's state directory (<c>crun --root</c>); null for crun's own default.</summary>
    public string? StateRoot { get; init; }

    /// <summary>As <see cref="RuncOptions.PageProgram"/>.</summary>
    public IReadOnlyList<string>? PageProgram { get; init; }

    /// <summary>Where incoming containers are kept; only its free space is looked at.</summary>
    public string DataDirectory { get; init; } = "/var/lib/p2pmigrate";

    /// <summary>The same in the words of the runtime whose command line this is.</summary>
    internal RuncOptions AsRunc => new() { Runc = Crun, Criu = Criu, StateRoot = StateRoot, DataDirectory = DataDirectory, PageProgram = PageProgram };
}
