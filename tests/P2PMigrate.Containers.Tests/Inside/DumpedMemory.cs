using System.Buffers.Binary;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// All pages of CRIU images, by the pagemap that names them and by address: a reader of its own, which shares nothing with the code that
/// writes images.
/// </summary>
internal sealed class DumpedMemory
{
    private const int PageSize = 4096;
    private const uint Present = 4;

    private readonly Dictionary<(string Pagemap, ulong Address), (string File, long Offset)> _pages = [];
    private readonly Dictionary<(string Pagemap, ulong Address), ulong> _flags = [];
    private readonly Dictionary<string, byte[]> _files = [];

    public DumpedMemory(string directory)
    {
        foreach (string path in Directory.EnumerateFiles(directory, "pagemap-*.img"))
            Read(path);
    }

    public int Count => _pages.Count;

    /// <summary>Pages that only one has, or that differ; in words.</summary>
    public IEnumerable<string> DifferencesTo(DumpedMemory other)
    {
        foreach ((string Pagemap, ulong Address) key in _pages.Keys.Union(other._pages.Keys))
        {
            if (!_pages.ContainsKey(key) || !other._pages.ContainsKey(key))
                yield return $"{key.Pagemap} {key.Address:x} is in one of them only";
            else if (_flags[key] != other._flags[key])
                yield return $"{key.Pagemap} {key.Address:x} has flags {_flags[key]} and {other._flags[key]}";
            else if (Unequal(Page(key), other.Page(key)) is { Count: > 0 } offsets)
                yield return $"{key.Pagemap} {key.Address:x} differs at {string.Join(' ', offsets.Take(16))}";
        }
    }

    private static List<int> Unequal(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var offsets = new List<int>();
        if (one.SequenceEqual(other))
            return offsets;
        for (int offset = 0; offset < one.Length; offset++)
        {
            if (one[offset] != other[offset])
                offsets.Add(offset);
        }

        return offsets;
    }

    private ReadOnlySpan<byte> Page((string, ulong) key)
    {
        (string file, long offset) = _pages[key];
        if (!_files.TryGetValue(file, out byte[]? content))
            _files.Add(file, content = File.ReadAllBytes(file));
        return content.AsSpan((int)offset, PageSize);
    }

    private void Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        string name = Path.GetFileName(path), pages = "";
        long offset = 0;
        for (int position = 8, record = 0; position < bytes.Length; record++)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(position));
            Dictionary<int, ulong> fields = Fields(bytes.AsSpan(position + 4, length));
            position += 4 + length;
            if (record == 0)
                pages = Path.Combine(Path.GetDirectoryName(path)!, $"pages-{fields[1]}.img");
            else if ((fields.GetValueOrDefault(4) & Present) != 0)
                offset = Add(name, pages, fields, offset);
        }
    }

    private long Add(string pagemap, string file, Dictionary<int, ulong> fields, long offset)
    {
        ulong address = fields[1], count = fields.TryGetValue(5, out ulong wide) ? wide : fields[2];
        for (ulong page = 0; page < count; page++, offset += PageSize)
        {
            _pages.Add((pagemap, address + (page * PageSize)), (file, offset));
            _flags.Add((pagemap, address + (page * PageSize)), fields[4]);
        }

        return offset;
    }

    /// <summary>A protobuf message that has nothing but numbers.</summary>
    private static Dictionary<int, ulong> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new Dictionary<int, ulong>();
        while (!message.IsEmpty)
            fields[(int)(Varint(ref message) >> 3)] = Varint(ref message);
        return fields;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
