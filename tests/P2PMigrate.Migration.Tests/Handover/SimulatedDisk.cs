using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// The disk with a machine's journals. Whatever was not flushed when its program dies is kept, lost or torn; a deletion that no directory was flushed after may be
/// undone. <see cref="Strike"/> says what goes wrong at each access.
/// </summary>
internal sealed class SimulatedDisk(Random random)
{
    private readonly SortedDictionary<string, Stored> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Stored> _deleted = [];
    private readonly Dictionary<string, Stored> _ended = [];

    /// <summary>What happens at the next access of a kind; null for nothing.</summary>
    public Func<DiskAccess, DiskFault?>? Strike { get; set; }

    /// <summary>Does it say that something is durable that is not?</summary>
    public bool Lies { get; init; }

    /// <summary>The journals there are, in the order of their names.</summary>
    public string[] Names => [.. _files.Keys];

    /// <summary>A new file, whole and under its name, or none.</summary>
    public IJournalFile Create(string name, ReadOnlySpan<byte> content)
    {
        DiskFault? fault = Strike?.Invoke(DiskAccess.Create);
        if (fault is null || (fault != DiskFault.Full && Coin()))
            _files.Add(name, new Stored(content.ToArray()));
        Fail(fault);
        _deleted.Clear();
        return new File(this, name, _files[name]);
    }

    /// <summary>A journal that was set aside, or null.</summary>
    public byte[]? FindEnded(string name) => _ended.GetValueOrDefault(name)?.Content;

    /// <summary>One that was set aside is not needed any more.</summary>
    public void ForgetEnded(string name) => _ended.Remove(name);

    public IJournalFile Open(string name) => new File(this, name, _files[name]);

    /// <summary>The program that used the disk is gone, and perhaps the power was.</summary>
    public void LoseWhatWasNotFlushed()
    {
        foreach (Stored file in _files.Values)
            file.Settle(random);
        foreach ((string name, Stored file) in _deleted.Where(_ => random.Next(2) == 0))
        {
            file.Settle(random);
            _files.TryAdd(name, file);
            _ended.Remove(name);
        }

        _deleted.Clear();
    }

    /// <summary>One bit of one journal is not what was written.</summary>
    public bool Rot()
    {
        if (_files.Count == 0)
            return false;
        byte[] content = _files.Values.ElementAt(random.Next(_files.Count)).Content;
        int written = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        content[random.Next(written)] ^= (byte)(1 << random.Next(8));
        return true;
    }

    private sealed class Stored(byte[] content)
    {
        private byte[]? _before;
        private int _offset;
        private int _length;

        public byte[] Content => content;

        public void Write(ReadOnlySpan<byte> block, int offset)
        {
            _before ??= content.AsSpan(offset, block.Length).ToArray();   // the state on the disk, however often the place is written
            (_offset, _length) = (offset, block.Length);
            block.CopyTo(content.AsSpan(offset));
        }

        public void Flush() => _before = null;

        /// <summary>A sector is old, new, or new up to some byte.</summary>
        public void Settle(Random random)
        {
            if (_before is null)
                return;
            int kept = random.Next(3) switch { 0 => 0, 1 => _length, _ => random.Next(_length) };
            _before.AsSpan(kept).CopyTo(content.AsSpan(_offset + kept));
            _before = null;
        }
    }

    private sealed class File(SimulatedDisk disk, string name, Stored stored) : IJournalFile
    {
        public byte[] Read() => [.. stored.Content];

        public void Write(ReadOnlySpan<byte> block, long offset)
        {
            DiskFault? fault = disk.Strike?.Invoke(DiskAccess.Write);
            if (fault is null || (fault != DiskFault.Full && disk.Coin()))
                stored.Write(block, (int)offset);
            Fail(fault);
        }

        public void Flush()
        {
            DiskFault? fault = disk.Strike?.Invoke(DiskAccess.Flush);
            if ((fault is null && !disk.Lies) || (fault == DiskFault.Error && disk.Coin()))
                stored.Flush();
            Fail(fault);
        }

        public void Delete()
        {
            Fail(disk.Strike?.Invoke(DiskAccess.Delete) is DiskFault.Death ? DiskFault.Death : null);
            disk._files.Remove(name);
            disk._deleted[name] = stored;
        }

        public void SetAside(string place)
        {
            Delete();
            disk._ended[name] = stored;
        }

        public void Dispose()
        {
        }
    }

    private bool Coin() => random.Next(2) == 0;

    private static void Fail(DiskFault? fault)
    {
        if (fault == DiskFault.Death)
            throw new ProgramDied();
        if (fault is not null)
            throw new IOException(fault == DiskFault.Full ? "no space left on the device" : "input/output error");
    }
}

/// <summary>What a program does to its disk.</summary>
internal enum DiskAccess
{
    Create,
    Write,
    Flush,
    Delete,
}

/// <summary>What goes wrong with it.</summary>
internal enum DiskFault
{
    /// <summary>There is no room.</summary>
    Full,

    /// <summary>An error; what was written may be there or not.</summary>
    Error,

    /// <summary>The program dies in the middle of it.</summary>
    Death,
}

/// <summary>The program died here. Caught by its agent alone.</summary>
internal sealed class ProgramDied : Exception;
