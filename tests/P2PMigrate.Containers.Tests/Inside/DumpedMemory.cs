using System.Buffers.Binary;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// All pages of CRIU images, by the pagemap that names them and by address: a reader of its own, which shares nothing with the code that
/// writes images.
/// </summary>
internal sealed class DumpedMemory
{
    private const int PageSize = 4096;
    private const uint InParent = 1;
    private const uint Present = 4;
    private const ulong Places = InParent | Present;

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
            else if ((_flags[key] & ~Places) != (other._flags[key] & ~Places))
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

    public ReadOnlySpan<byte> Page((string, ulong) key)
    {
        (string file, long offset) = _pages[key];
        if (!_files.TryGetValue(file, out byte[]? content))
            _files.Add(file, content = File.ReadAllBytes(file));
        return content.AsSpan((int)offset, PageSize);
    }

    private void Read(string path)
    {
        string name = Path.GetFileName(path);
        ImageLevel? top = ImageLevel.Open(Path.GetDirectoryName(path)!, name);
        foreach ((ulong address, ulong count, ulong flags) in top!.Entries.ToArray())
        {
            if ((flags & (Present | InParent)) == 0)
                continue;
            for (ulong page = 0; page < count; page++)
            {
                _pages.Add((name, address + (page * PageSize)), top.Find(address + (page * PageSize)));
                _flags.Add((name, address + (page * PageSize)), flags);
            }
        }
    }

    /// <summary>One pagemap of one directory, and those that it is built on: pages are asked for in the order of addresses, and only forward, as CRIU does.</summary>
    private sealed class ImageLevel
    {
        private readonly string _pages = "";
        private readonly ImageLevel? _parent;
        private int _current;
        private long _offset;

        private ImageLevel(string path, ImageLevel? parent)
        {
            _parent = parent;
            byte[] bytes = File.ReadAllBytes(path);
            for (int position = 8, record = 0; position < bytes.Length; record++)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(position));
                Dictionary<int, ulong> fields = Fields(bytes.AsSpan(position + 4, length));
                position += 4 + length;
                if (record == 0)
                    _pages = Path.Combine(Path.GetDirectoryName(path)!, $"pages-{fields[1]}.img");
                else
                    Entries.Add((fields[1], fields.TryGetValue(5, out ulong wide) ? wide : fields[2], fields.GetValueOrDefault(4)));
            }
        }

        public List<(ulong Address, ulong Count, ulong Flags)> Entries { get; } = [];

        public static ImageLevel? Open(string directory, string name) => File.Exists(Path.Combine(directory, name))
            ? new ImageLevel(Path.Combine(directory, name), Open(Path.Combine(directory, "parent"), name)) : null;

        public (string File, long Offset) Find(ulong page)
        {
            while (true)
            {
                (ulong address, ulong count, ulong flags) = Entries[_current];
                if (page >= address && page < address + (count * PageSize))
                    return (flags & InParent) != 0 ? _parent!.Find(page) : (_pages, _offset + (long)(page - address));
                Assert.True(page >= address + (count * PageSize), $"{page:x} is missing below {_pages}");
                if ((flags & Present) != 0)
                    _offset += (long)count * PageSize;
                _current++;
            }
        }
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
