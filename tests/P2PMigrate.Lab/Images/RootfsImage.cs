namespace P2PMigrate.Lab;

/// <summary>
/// A built root file system in the cache, outside any repository. Read-only by agreement: hosts lay an overlay over
/// <see cref="HostRoot"/>, containers start from a copy of <see cref="ContainerTemplate"/> or <see cref="SystemTemplate"/>.
/// </summary>
internal sealed record RootfsImage(string Directory)
{
    public const string CacheDirectory = "/var/cache/p2pmigrate-lab";

    public string HostRoot => Path.Combine(Directory, "rootfs");

    public string ContainerTemplate => Path.Combine(Directory, "container");

    public string SystemTemplate => Path.Combine(Directory, "system");

    public static RootfsImage At(RootfsRecipe recipe) => new(Path.Combine(CacheDirectory, recipe.Key));

    public bool Exists => System.IO.Directory.Exists(Directory);
}
