namespace P2PMigrate.Protocol.Tests;

/// <summary>Finds files of protocol-spec in the folders above the test program.</summary>
internal static class SpecFile
{
    public static string Vectors(string name)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, "protocol-spec")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? ".", "protocol-spec", "vectors", name);
    }
}
