using System.IO.Enumeration;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Jobs;

/// <summary>How much a root file system holds, from a quick look at names and sizes. Only for the target's question whether there is room.</summary>
internal static class RootfsEstimate
{
    /// <summary>Bytes of the regular files of a tree; what cannot be looked at counts as nothing.</summary>
    public static long Of(TreeLocation tree) => tree.Grafts.Where(graft => !graft.IsHollow).Select(graft => graft.View + graft.Path).Prepend(tree.Root).Sum(Of);

    private static long Of(string root)
    {
        if (File.Exists(root))
            return new FileInfo(root).Length;
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint,
        };
        var sizes = new FileSystemEnumerable<long>(root, static (ref FileSystemEntry entry) => entry.IsDirectory ? 0 : entry.Length, options);
        return sizes.Sum();
    }
}
