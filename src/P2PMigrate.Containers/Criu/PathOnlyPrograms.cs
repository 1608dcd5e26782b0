using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// CRIU writes the program of a process and the same file that somebody holds open as one file of the dump. Where it is held by its path only (<c>O_PATH</c>), as systemd holds the one
/// by which it starts its services, the restore opens the program so too, and the kernel refuses such a descriptor as a program. So the program becomes a file of its own.
/// </summary>
// spec: MIG-165
internal static class PathOnlyPrograms
{
    private const uint PathOnly = 0x200000;

    /// <summary>Corrects the images, if there is such a program among them.</summary>
    public static void Separate(string imageDirectory)
    {
        string path = Path.Combine(imageDirectory, "files.img");
        if (!ImageFile.TryReadFile(path, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files)) throw Unreadable(path);
        Dictionary<uint, FileEntry> held = files.Where(file => file.Reg is { } reg && (reg.Flags & PathOnly) != 0).DistinctBy(file => file.Id).ToDictionary(file => file.Id);
        if (held.Count == 0) return;

        uint last = files.Max(file => file.Id);
        var programs = new Dictionary<uint, FileEntry>();
        foreach (string memory in Directory.GetFiles(imageDirectory, "mm-*.img"))
        {
            if (!ImageFile.TryReadFile(memory, ImageFile.MemoryMagic, MemoryEntry.Parser, out List<MemoryEntry>? spaces) || spaces.Count != 1) throw Unreadable(memory);
            if (!held.TryGetValue(spaces[0].ProgramId, out FileEntry? one)) continue;
            if (!programs.TryGetValue(one.Id, out FileEntry? program)) programs.Add(one.Id, program = ProgramOf(one, ++last));
            spaces[0].ProgramId = program.Id;
            using FileStream image = File.Create(memory);
            ImageFile.WriteMagic(image, ImageFile.MemoryMagic);
            ImageFile.WriteRecord(image, spaces[0]);
        }

        using FileStream appended = File.Open(path, FileMode.Append);
        foreach (FileEntry program in programs.Values) ImageFile.WriteRecord(appended, program);
    }

    private static FileEntry ProgramOf(FileEntry held, uint id)
    {
        FileEntry program = held.Clone();
        (program.Id, program.Reg.Id, program.Reg.Flags) = (id, id, 0);
        return program;
    }

    private static ContainerException Unreadable(string path) => new($"CRIU wrote an image that P2PMigrate cannot read ({Path.GetFileName(path)}).");
}
