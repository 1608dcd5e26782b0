using System.Reflection;

namespace P2PMigrate.Architecture.Tests;

/// <summary>The checked-out tree that these tests read as text.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepoRoot").Value!;

    /// <summary>Files below <paramref name="folder"/> that somebody wrote: no build output, nothing generated.</summary>
    public static IEnumerable<SourceFile> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => new SourceFile(Path.GetRelativePath(Root, path), path))
            .Where(file => !file.Segments.Any(segment => segment is "bin" or "obj" or "artifacts" or "TestResults"))
            .OrderBy(file => file.RelativePath, StringComparer.Ordinal);
}

/// <summary>A file of the tree.</summary>
internal sealed record SourceFile(string RelativePath, string FullPath)
{
    public string[] Segments => RelativePath.Split('/');

    public string Text => File.ReadAllText(FullPath);

    public string[] Lines => File.ReadAllLines(FullPath);
}
