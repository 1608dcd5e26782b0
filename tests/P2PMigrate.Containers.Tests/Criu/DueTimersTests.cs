using Google.Protobuf;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class DueTimersTests : IDisposable
{
    private const uint Timerfd = 11;
    private readonly ScratchDirectory _directory = new();

    private string Image => Path.Combine(_directory.Path, "files.img");

    public void Dispose() => _directory.Dispose();

    [Fact]
    [Trait("Spec", "MIG-164")]
    public void Only_a_periodic_timer_that_is_due_gets_time_and_all_else_stays_as_criu_wrote_it()
    {
        FileEntry due = Timer(ticks: 2), off = Timer(ticks: 0), once = Timer(ticks: 1, interval: 0), armed = Timer(ticks: 3, left: 7), absolute = Timer(ticks: 2, flags: 1);
        FileEntry other = FileEntry.Parser.ParseFrom([0x08, 0x08, 0x10, 0x05, 0x42, 0x02, 0x08, 0x05]); // an eventfd, whose message this project does not know
        Write(other, due, off, once, armed, absolute);
        byte[] latin = [0x12, 0x00, 0x00, 0x00, 0x08, 0x01, 0x10, 0x09, 0x1A, 0x0C, 0x08, 0x09, 0x10, 0x00, 0x18, 0x00, 0x32, 0x04, 0x2F, 0x63, 0xE9, 0x2E]; // a file whose name is no UTF-8
        using (FileStream image = File.Open(Image, FileMode.Append)) image.Write(latin);
        DueTimers.Rearm(_directory.Path);

        due.Timer.LeftNanoseconds = 1;
        Assert.True(ImageFile.TryReadFile(Image, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files));
        Assert.Equal([other, due, off, once, armed, absolute], files[..^1]);
        Assert.True(File.ReadAllBytes(Image).AsSpan().EndsWith(latin));
        Assert.Equal([Image], Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public void An_image_without_such_a_timer_is_not_written_again_and_one_that_cannot_be_read_is_said()
    {
        Write(Timer(ticks: 0));
        byte[] before = File.ReadAllBytes(Image);
        DateTime written = File.GetLastWriteTimeUtc(Image);
        DueTimers.Rearm(_directory.Path);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Image));

        File.WriteAllBytes(Image, before[..^1]);
        Assert.Contains("files.img", Assert.Throws<ContainerException>(() => DueTimers.Rearm(_directory.Path)).Message, StringComparison.Ordinal);
    }

    // As CRIU writes it: with an id, flags, an owner and a clock, which this project does not name.
    private static FileEntry Timer(ulong ticks, ulong interval = 50, ulong left = 0, uint flags = 0) => new()
    {
        Type = Timerfd, Id = (uint)(ticks + 1),
        Timer = TimerDescriptorEntry.Parser.ParseFrom(ByteString.CopyFrom(
            [0x08, 0x01, 0x10, 0x02, 0x1A, 0x00, 0x20, 0x01, 0x28, (byte)ticks, 0x30, (byte)flags, 0x38, 0x00, 0x40, (byte)left, 0x48, 0x00, 0x50, (byte)interval])),
    };

    private void Write(params FileEntry[] files)
    {
        using FileStream image = File.Create(Image);
        ImageFile.WriteMagic(image, ImageFile.FilesMagic);
        foreach (FileEntry file in files) ImageFile.WriteRecord(image, file);
    }
}
