using P2PMigrate.Containers.Criu.Messages;

namespace P2PMigrate.Containers.Criu;

/// <summary>A file on the container's root file system that a dump refers to, with what CRIU will insist on at restore.</summary>
internal sealed record DumpedFile(string Path, ulong? Size, uint? Mode);

/// <summary>Reads from a dump which files it needs to find again.</summary>
internal static class DumpedFiles
{
    private const uint RegularType = 1;
    private const string RootMountPoint = "/";

    /// <summary>
    /// The files on the root mount. Left out: files on other mounts, which CRIU restores itself or takes from this machine, and
    /// deleted files, whose content is in the dump. False when an image is damaged; <paramref name="damaged"/> names it.
    /// </summary>
    public static bool TryRead(string imageDirectory, out IReadOnlyList<DumpedFile> files, out string damaged)
    {
        files = [];
        damaged = "files.img";
        string path = System.IO.Path.Combine(imageDirectory, damaged);
        if (!File.Exists(path) || !ImageFile.TryReadFile(path, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? entries)) return false;
        damaged = "remap-fpath.img";
        if (!ImageFile.TryReadFile(System.IO.Path.Combine(imageDirectory, damaged), ImageFile.RemapsMagic, RemapFilePathEntry.Parser, out List<RemapFilePathEntry>? remaps)) return false;
        damaged = "mountpoints.img";
        if (!TryReadRootMounts(imageDirectory, out HashSet<uint> roots)) return false;

        // A name that is gone: the dump holds the content, or a hard link stands in, which is listed by itself.
        HashSet<uint> nameless = [.. remaps.Select(remap => remap.OrigId)];
        files =
        [
            .. from entry in entries
               where entry.Type == RegularType && entry.Reg is { Ext: false } && !nameless.Contains(entry.Id)
               let file = entry.Reg
               where roots.Count == 0 || (file.MntId >= 0 && roots.Contains((uint)file.MntId))
               let name = file.Name.ToStringUtf8()
               where !name.Contains('\uFFFD', StringComparison.Ordinal) // in another encoding; nobody here can look for it
               select new DumpedFile(name, file.HasSize ? file.Size : null, file.HasMode ? file.Mode : null),
        ];
        return true;
    }

    private static bool TryReadRootMounts(string imageDirectory, out HashSet<uint> roots)
    {
        roots = [];
        foreach (string image in Directory.EnumerateFiles(imageDirectory, "mountpoints-*.img"))
        {
            if (!ImageFile.TryReadFile(image, ImageFile.MountsMagic, MntEntry.Parser, out List<MntEntry>? mounts)) return false;
            roots.UnionWith(mounts.Where(mount => mount.Mountpoint == RootMountPoint).Select(mount => mount.MntId));
        }

        return true;
    }
}
