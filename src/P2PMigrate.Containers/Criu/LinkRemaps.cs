using System.Globalization;
using System.Runtime.InteropServices;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A process may hold a file open whose name was removed while other hard links to it remain. CRIU then gives it a stand-in
/// name (<c>link_remap.N</c>) that restore expects, but a dump that leaves the container in being removes the name again at its end,
/// before the root file system is copied. So the names are made once more while the container is frozen.
/// </summary>
internal static class LinkRemaps
{
    private const uint HardLinkRemap = 0;
    private const int FollowSymlink = 0x400;
    private const string DeletedSuffix = " (deleted)";

    /// <summary>A removed name and the one that stands in for it, as paths inside the container.</summary>
    internal sealed record Remap(string Removed, string StandIn);

    /// <summary>The stand-in names that a dump refers to.</summary>
    public static IReadOnlyList<Remap> Read(string imageDirectory)
    {
        string remapsPath = Path.Combine(imageDirectory, "remap-fpath.img"), filesPath = Path.Combine(imageDirectory, "files.img");
        if (!ImageFile.TryReadFile(remapsPath, ImageFile.RemapsMagic, RemapFilePathEntry.Parser, out List<RemapFilePathEntry>? remaps)
            || !ImageFile.TryReadFile(filesPath, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files))
        {
            throw new ContainerException("CRIU wrote images that P2PMigrate cannot read (remap-fpath.img, files.img).");
        }

        Dictionary<uint, string> names = files.Where(file => file.Reg is not null).DistinctBy(file => file.Id).ToDictionary(file => file.Id, file => file.Reg.Name.ToStringUtf8());
        return
        [
            .. from remap in remaps
               where remap.RemapType == HardLinkRemap && names.ContainsKey(remap.OrigId) && names.ContainsKey(remap.RemapId)
               select new Remap(names[remap.OrigId], names[remap.RemapId]),
        ];
    }

    /// <summary>Makes the names again, from the descriptors of the frozen processes.</summary>
    public static void Create(IReadOnlyList<Remap> remaps, int initPid, IEnumerable<int> pids)
    {
        ILookup<string, string> deleted = DeletedFiles(pids).ToLookup(pair => pair.Name, pair => pair.Descriptor);
        foreach (Remap remap in remaps)
        {
            string? descriptor = deleted[remap.Removed].FirstOrDefault();
            if (descriptor is null || Link(descriptor, InContainer(initPid, remap.StandIn)) != 0)
            {
                throw new ContainerException(
                    $"A process holds {remap.Removed} open, whose name was removed while other hard links remain, and it cannot be given a name again"
                    + (descriptor is null ? "." : $": {Marshal.GetLastPInvokeErrorMessage()}."));
            }
        }
    }

    /// <summary>Removes the names, as far as they are there.</summary>
    public static void Remove(IEnumerable<string> standIns, int initPid)
    {
        foreach (string standIn in standIns) File.Delete(InContainer(initPid, standIn));
    }

    private static int Link(string descriptor, string name)
    {
        const int alreadyThere = 17;
        int result = Native.LinkAt(Native.CurrentDirectory, descriptor, Native.CurrentDirectory, name, FollowSymlink);
        return result != 0 && Marshal.GetLastPInvokeError() == alreadyThere ? 0 : result;
    }

    private static string InContainer(int initPid, string path) =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/{initPid}/root/{path.TrimStart('/')}");

    private static IEnumerable<(string Name, string Descriptor)> DeletedFiles(IEnumerable<int> pids) =>
        from pid in pids
        from descriptor in Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd"))
        let target = new FileInfo(descriptor).LinkTarget
        where target is not null && target.EndsWith(DeletedSuffix, StringComparison.Ordinal)
        select (target[..^DeletedSuffix.Length], descriptor);
}
