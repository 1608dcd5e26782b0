using System.Globalization;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>
/// Before a restore: is every file that the dump refers to in the root file system, with the size and mode that CRIU will insist on?
/// So a copy that went wrong is told by name instead of by a failed restore.
/// </summary>
internal static class FileVerification
{
    private const int FindingsMax = 100;

    /// <summary>A blocker per difference (the first hundred) with <paramref name="remedy"/>, or one good finding. Not looked for is what a restore itself makes, as <paramref name="isMade"/> says.</summary>
    public static IReadOnlyList<Finding> Run(string imageDirectory, string rootPath, string remedy, CancellationToken cancellationToken, Func<string, bool>? isMade = null)
    {
        if (!DumpedFiles.TryRead(imageDirectory, out IReadOnlyList<DumpedFile> files, out string damaged))
        {
            return [new Finding(FindingSeverity.Blocker, "images", $"The dump's {damaged} is missing or damaged.", "Migrate again.")];
        }

        using var root = new RootedFile(rootPath);
        var findings = new List<Finding>();
        foreach (DumpedFile file in files.Where(file => isMade?.Invoke(file.Path) != true))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (findings.Count == FindingsMax) return findings;
            if (Differs(file, root.Look(file.Path)) is { } how)
            {
                findings.Add(new Finding(FindingSeverity.Blocker, "file", $"The file {file.Path}, which the container holds open, {how}.", remedy));
            }
        }

        return findings.Count > 0
            ? findings
            : [new Finding(FindingSeverity.Good, "files", $"All {files.Count} files that the dump refers to are in place.")];
    }

    private static string? Differs(DumpedFile file, FileFacts? facts)
    {
        if (facts is not { } here) return "is missing here";
        if (file.Size is { } size && here.Size != size) return string.Create(CultureInfo.InvariantCulture, $"has {here.Size} bytes here but {size} at the source");
        if (file.Mode is { } mode && here.Mode != mode) return $"has mode {Octal(here.Mode)} here but {Octal(mode)} at the source";
        return null;
    }

    private static string Octal(uint mode) => Convert.ToString(mode, 8);
}
