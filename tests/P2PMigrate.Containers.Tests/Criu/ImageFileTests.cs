using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class ImageFileTests
{
    [Fact]
    public void Records_are_read_back_as_written()
    {
        byte[] image = Sample();
        Assert.True(ImageFile.TryParse(image, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? records));
        Assert.Equal(["/bin/sh", "/data.cnt"], records.Select(record => record.Reg.Name.ToStringUtf8()));
    }

    [Fact]
    public void An_image_cut_anywhere_but_between_records_is_refused()
    {
        byte[] image = Sample();
        int first = 12 + BitConverter.ToInt32(image, 8);
        for (int length = 0; length < image.Length; length++)
        {
            bool whole = length == 8 || length == first;
            Assert.Equal(whole, ImageFile.TryParse(image.AsSpan(0, length), ImageFile.FilesMagic, FileEntry.Parser, out _));
        }
    }

    [Fact]
    public void Damaged_and_random_images_are_refused_and_never_throw()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int round = 0; round < 5000; round++)
        {
            byte[] image = Sample();
            for (int flips = random.Next(1, 5); flips > 0; flips--) image[random.Next(8, image.Length)] = (byte)random.Next();
            Exception? thrown = Record.Exception(() => ImageFile.TryParse(image, ImageFile.FilesMagic, FileEntry.Parser, out _));
            Assert.True(thrown is null, $"seed {seed}, round {round}: {thrown}");
        }
    }

    [Fact]
    public void Another_kind_of_image_is_refused() =>
        Assert.False(ImageFile.TryParse(Sample(), ImageFile.MountsMagic, MntEntry.Parser, out _));

    [Fact]
    public void A_record_longer_than_the_image_is_refused() =>
        Assert.False(ImageFile.TryParse(Convert.FromHexString("194356543831305657000000080110011a510801"), ImageFile.FilesMagic, FileEntry.Parser, out _));

    private static byte[] Sample()
    {
        var image = new MemoryStream();
        ImageFile.WriteMagic(image, ImageFile.FilesMagic);
        ImageFile.WriteRecord(image, Regular(1, "/bin/sh", 9));
        ImageFile.WriteRecord(image, Regular(2, "/data.cnt", 4096));
        return image.ToArray();
    }

    private static FileEntry Regular(uint id, string name, ulong size) =>
        new() { Type = 1, Id = id, Reg = new RegFileEntry { Id = id, Flags = 0, Pos = 0, Name = Google.Protobuf.ByteString.CopyFromUtf8(name), MntId = 3, Size = size, Mode = 0x81ed } };
}
