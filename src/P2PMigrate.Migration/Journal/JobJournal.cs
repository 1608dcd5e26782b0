using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Migration.Control;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// The journal of one job, open for writing. What <see cref="Append"/> has returned from is on the disk. The open file is locked, so
/// that recovery in another process leaves a living job alone. One owner, one thread at a time.
/// </summary>
internal sealed class JobJournal : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly byte[] _digest;
    private int _slot;

    private JobJournal(string path, SafeFileHandle file, ReadOnlySpan<byte> digest, int slot)
    {
        (_path, _file, _slot) = (path, file, slot);
        _digest = digest.ToArray();
    }

    /// <summary>Makes a journal of full length under its final name, or none at all. A crash leaves at most a <c>.new</c> file.</summary>
    public static JobJournal Create(string path, JournalHead head)
    {
        byte[] content = new byte[JournalFormat.FileLength];
        Span<byte> block = content.AsSpan(0, JournalFormat.HeadLength);
        JournalFormat.WriteHead(block, head.ToWire().ToByteArray());
        string temporary = path + ".new";
        SafeFileHandle file = File.OpenHandle(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        try
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
            File.Move(temporary, path, overwrite: false);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            return new JobJournal(path, file, JournalFormat.DigestOf(block), slot: 0);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens a journal that an earlier process left. Null when a living process holds it. A journal that is not what was written is a
    /// <see cref="MigrationFault.JournalDamaged"/>.
    /// </summary>
    public static (JobJournal Journal, JournalContents Contents)? Open(string path)
    {
        if (OpenLocked(path) is not { } file)
            return null;
        try
        {
            byte[] content = new byte[Math.Min(RandomAccess.GetLength(file), JournalFormat.FileLength + 1)];
            RandomAccess.Read(file, content, 0);
            if (!JournalContents.TryParse(content, out JournalContents? contents, out string? reason))
                throw new MigrationException(MigrationFault.JournalDamaged, $"The journal {path} cannot be trusted: {reason}.");
            int slot = contents.Records.Count;
            int last = slot == 0 ? 0 : JournalFormat.SlotOffset(slot - 1);
            int length = slot == 0 ? JournalFormat.HeadLength : JournalFormat.SlotLength;
            return (new JobJournal(path, file, JournalFormat.DigestOf(content.AsSpan(last, length)), slot), contents);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a state down, durably. Throws <see cref="IOException"/> when the disk refuses; then the record may or may not be there.</summary>
    // spec: MIG-53
    public void Append(int state, DateTimeOffset at, string reason = "")
    {
        if (_slot == JournalFormat.Slots)
            throw new InvalidOperationException("A job has written more records than any job has states.");
        Span<byte> block = stackalloc byte[JournalFormat.SlotLength];
        JournalFormat.WriteSlot(block, _slot, Payload(state, at, reason), _digest);
        RandomAccess.Write(_file, block, JournalFormat.SlotOffset(_slot));
        RandomAccess.FlushToDisk(_file);
        JournalFormat.DigestOf(block).CopyTo(_digest);
        _slot++;
    }

    /// <summary>Forgets the job. Its last record says that it has ended, so a deletion that is lost does no harm.</summary>
    public void Delete()
    {
        File.Delete(_path);
        Dispose();
    }

    /// <summary>Closes the file; the job stays in it.</summary>
    public void Dispose() => _file.Dispose();

    private static byte[] Payload(int state, DateTimeOffset at, string reason)
    {
        var record = new Wire.JournalRecord { State = (uint)state, UnixMs = at.ToUnixTimeMilliseconds(), Reason = reason };
        for (int length = JournalFormat.MaxRecordLength; record.CalculateSize() > JournalFormat.MaxRecordLength; length /= 2)
            record.Reason = WireText.Fit(reason, length);
        return record.ToByteArray();
    }

    private static SafeFileHandle? OpenLocked(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (FileLock.IsHeldByOther(exception))
        {
            return null;
        }
    }
}
