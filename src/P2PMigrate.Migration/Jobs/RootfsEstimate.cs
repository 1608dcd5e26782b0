using System.IO.Enumeration;

namespace P2PMigrate.Migration.Jobs;

/// <summary>How much a root file system holds, from a quick look at names and sizes. Only for the target's question whether there is room.</summary>
internal static class RootfsEstimate
{
    /// <summary>Bytes of the regular files below <paramref name="root"/>; what cannot be looked at counts as nothing.</summary>
    public static long Of(string root)
    {
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
