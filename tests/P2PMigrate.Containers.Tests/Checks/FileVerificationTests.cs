using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Checks;

public sealed class FileVerificationTests : IDisposable
{
    private const int RootMount = 86;
    private const int ProcMount = 88;
    private const uint Regular0644 = 0x81a4;

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Files_that_are_as_the_dump_says_pass()
    {
        WriteFile("srv/log", "12345");
        WriteImages(File(1, "/srv/log", 5, Regular0644));
        Assert.Equal(FindingSeverity.Good, Assert.Single(Verify()).Severity);
    }

    [Fact]
    public void Every_difference_is_told_by_name()
    {
        WriteFile("srv/short", "123");
        WriteFile("srv/mode", "12345", UnixFileMode.UserRead);
        WriteImages(File(1, "/srv/short", 5, Regular0644), File(2, "/srv/mode", 5, Regular0644), File(3, "/srv/gone", 5, Regular0644));
        IReadOnlyList<Finding> findings = Verify();
        Assert.All(findings, finding => Assert.Equal(FindingSeverity.Blocker, finding.Severity));
        Assert.Equal(
            [
                "The file /srv/short, which the container holds open, has 3 bytes here but 5 at the source.",
                "The file /srv/mode, which the container holds open, has mode 100400 here but 100644 at the source.",
                "The file /srv/gone, which the container holds open, is missing here.",
            ],
            findings.Select(finding => finding.Message));
    }

    [Fact]
    public void Files_on_other_mounts_deleted_files_and_other_kinds_are_left_out()
    {
        FileEntry proc = File(1, "/proc/1/stat", null, 0x8124);
        proc.Reg.MntId = ProcMount;
        FileEntry deleted = File(2, "/tmp/deleted", 9, Regular0644);
        WriteImages(proc, deleted, new FileEntry { Type = 2, Id = 3 });
        Write("remap-fpath.img", ImageFile.RemapsMagic, new RemapFilePathEntry { OrigId = 2, RemapId = 1, RemapType = 1 });
        Assert.Equal(FindingSeverity.Good, Assert.Single(Verify()).Severity);
    }

    [Fact]
    public void No_path_of_the_peer_leads_out_of_the_root()
    {
        _scratch.Write("secret", "12345");
        Directory.CreateDirectory(_scratch["rootfs"]);
        Directory.CreateSymbolicLink(_scratch["rootfs/out"], _scratch.Path);
        WriteImages(File(1, "/../secret", 5, Regular0644), File(2, "/out/secret", 5, Regular0644));
        Assert.Equal(2, Verify().Count(finding => finding.Message.EndsWith("is missing here.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("files.img")]
    [InlineData("mountpoints-13.img")]
    public void A_damaged_image_is_a_blocker(string name)
    {
        WriteImages(File(1, "/srv/log", 5, Regular0644));
        System.IO.File.WriteAllBytes(_scratch[$"images/{name}"], [1, 2, 3]);
        Assert.Equal(FindingSeverity.Blocker, Assert.Single(Verify()).Severity);
    }

    private IReadOnlyList<Finding> Verify()
    {
        Directory.CreateDirectory(_scratch["rootfs"]);
        return FileVerification.Run(_scratch["images"], _scratch["rootfs"], "Migrate again.", TestContext.Current.CancellationToken);
    }

    private void WriteFile(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead) =>
        System.IO.File.SetUnixFileMode(_scratch.Write($"rootfs/{name}", text), mode);

    private void WriteImages(params FileEntry[] files)
    {
        Write("files.img", ImageFile.FilesMagic, files);
        Write("mountpoints-13.img", ImageFile.MountsMagic, Mount(RootMount, "/"), Mount(ProcMount, "/proc"));
    }

    private void Write(string name, uint magic, params Google.Protobuf.IMessage[] records)
    {
        Directory.CreateDirectory(_scratch["images"]);
        using FileStream image = System.IO.File.Create(_scratch[$"images/{name}"]);
        ImageFile.WriteMagic(image, magic);
        foreach (Google.Protobuf.IMessage record in records) ImageFile.WriteRecord(image, record);
    }

    private static MntEntry Mount(uint id, string point) =>
        new() { Fstype = 5, MntId = id, RootDev = 1, ParentMntId = 1, Flags = 0, Root = "/", Mountpoint = point, Source = "", Options = "" };

    private static FileEntry File(uint id, string name, ulong? size, uint mode)
    {
        var file = new RegFileEntry { Id = id, Flags = 0, Pos = 0, Name = Google.Protobuf.ByteString.CopyFromUtf8(name), MntId = RootMount, Mode = mode };
        if (size is { } bytes) file.Size = bytes;
        return new FileEntry { Type = 1, Id = id, Reg = file };
    }
}
