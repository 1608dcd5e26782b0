using Google.Protobuf;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PathOnlyProgramsTests : IDisposable
{
    private const uint PathOnly = 0x200000, CloseOnExec = 0x80000;
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    [Trait("Spec", "MIG-165")]
    public void A_program_that_is_held_by_its_path_only_becomes_a_file_of_its_own()
    {
        FileEntry held = Regular(3, PathOnly | CloseOnExec), read = Regular(4, 0);
        Write("files.img", ImageFile.FilesMagic, held, read);
        foreach ((int pid, uint program) in new[] { (1, 4u), (7, 3u), (8, 3u) }) Write($"mm-{pid}.img", ImageFile.MemoryMagic, Memory(program));
        PathOnlyPrograms.Separate(_directory.Path);

        Assert.True(ImageFile.TryReadFile(_directory["files.img"], ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files));
        Assert.Equal([held, read, Regular(5, 0)], files);
        Assert.Equal([Memory(4)], MemoryOf(1));
        Assert.Equal([Memory(5)], MemoryOf(7));
        Assert.Equal([Memory(5)], MemoryOf(8));
    }

    [Fact]
    public void Images_without_such_a_program_stay_as_they_are()
    {
        Write("files.img", ImageFile.FilesMagic, Regular(3, PathOnly), Regular(4, 0));
        Write("mm-1.img", ImageFile.MemoryMagic, Memory(4));
        byte[] before = File.ReadAllBytes(_directory["files.img"]);
        PathOnlyPrograms.Separate(_directory.Path);
        Assert.Equal(before, File.ReadAllBytes(_directory["files.img"]));
        Assert.Equal([Memory(4)], MemoryOf(1));
    }

    private List<MemoryEntry> MemoryOf(int pid)
    {
        Assert.True(ImageFile.TryReadFile(_directory[$"mm-{pid}.img"], ImageFile.MemoryMagic, MemoryEntry.Parser, out List<MemoryEntry>? spaces));
        return spaces;
    }

    // With a field that this project does not name, as in CRIU's own.
    private static MemoryEntry Memory(uint program) => MemoryEntry.Parser.ParseFrom(ByteString.CopyFrom([0x08, 0x05, 0x60, (byte)program, 0x68, 0x07]));

    private static FileEntry Regular(uint id, uint flags) =>
        new() { Type = 1, Id = id, Reg = new RegFileEntry { Id = id, Flags = flags, Pos = 0, Name = ByteString.CopyFromUtf8("/usr/lib/systemd/systemd-executor") } };

    private void Write(string name, uint magic, params IMessage[] records)
    {
        using FileStream image = File.Create(_directory[name]);
        ImageFile.WriteMagic(image, magic);
        foreach (IMessage record in records) ImageFile.WriteRecord(image, record);
    }
}
