using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// CRIU's common image format: <c>u32 0x54564319, u32 magic of the kind</c>, then records of <c>u32 length</c> and a protobuf
/// message. Images at the target came from the peer: reading never throws on their content.
/// </summary>
internal static class ImageFile
{
    /// <summary>files.img.</summary>
    public const uint FilesMagic = 0x56303138;

    /// <summary>fdinfo-*.img.</summary>
    public const uint FdinfoMagic = 0x56213732;

    /// <summary>mountpoints-*.img.</summary>
    public const uint MountsMagic = 0x55563928;

    /// <summary>mm-*.img.</summary>
    public const uint MemoryMagic = 0x57492820;

    /// <summary>remap-fpath.img.</summary>
    public const uint RemapsMagic = 0x59133954;

    /// <summary>pagemap-*.img.</summary>
    public const uint PagemapMagic = 0x56084025;

    /// <summary>No image that is read whole is longer.</summary>
    public const int BytesMax = 64 << 20;

    /// <summary>Bytes before the first record.</summary>
    public const int HeadLength = 8;

    private const uint CommonMagic = 0x54564319;
    private const int RecordBytesMax = 16 << 20; // an epoll descriptor is one record, with all that it watches

    /// <summary>Starts an image.</summary>
    public static void WriteMagic(Stream image, uint magic)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(head, CommonMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], magic);
        image.Write(head);
    }

    /// <summary>Adds a record.</summary>
    public static void WriteRecord(Stream image, IMessage record)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, record.CalculateSize());
        image.Write(length);
        record.WriteTo(image);
    }

    /// <summary>Bytes of the record that begins at <paramref name="at"/> in an image that was read, with those of its length.</summary>
    public static int RecordLengthAt(ReadOnlySpan<byte> image, int at) => 4 + BinaryPrimitives.ReadInt32LittleEndian(image[at..]);

    /// <summary>Reads an image of the given kind; a file that does not exist has no records, as CRIU sees it.</summary>
    public static bool TryReadFile<T>(string path, uint magic, MessageParser<T> parser, [NotNullWhen(true)] out List<T>? records)
        where T : IMessage<T>
    {
        records = [];
        var file = new FileInfo(path);
        if (!file.Exists) return true;
        return file.Length <= BytesMax && TryParse(File.ReadAllBytes(path), magic, parser, out records);
    }

    /// <summary>Reads an image from memory; false when it is not one of this kind from beginning to end.</summary>
    public static bool TryParse<T>(ReadOnlySpan<byte> image, uint magic, MessageParser<T> parser, [NotNullWhen(true)] out List<T>? records)
        where T : IMessage<T>
    {
        records = null;
        if (image.Length < 8 || BinaryPrimitives.ReadUInt32LittleEndian(image) != CommonMagic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(image[4..]) != magic) return false;

        var found = new List<T>();
        for (ReadOnlySpan<byte> rest = image[8..]; !rest.IsEmpty;)
        {
            if (rest.Length < 4) return false;
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (length > RecordBytesMax || length > rest.Length - 4) return false;
            if (!TryParseRecord(rest.Slice(4, (int)length), parser, out T? record)) return false;
            found.Add(record);
            rest = rest[(4 + (int)length)..];
        }

        records = found;
        return true;
    }

    private static bool TryParseRecord<T>(ReadOnlySpan<byte> bytes, MessageParser<T> parser, [NotNullWhen(true)] out T? record)
        where T : IMessage<T>
    {
        try
        {
            record = parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            record = default;
            return false;
        }
    }
}
