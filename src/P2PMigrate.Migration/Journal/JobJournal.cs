using Google.Protobuf;
using P2PMigrate.Migration.Control;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// The journal of one job, open for writing. What <see cref="Append"/> has returned from is on the disk. Owns its file, and with it the lock that keeps
/// other processes off. One owner, one thread at a time.
/// </summary>
internal sealed class JobJournal : IDisposable
{
    private readonly IJournalFile _file;
    private readonly byte[] _digest;
    private int _slot;

    private JobJournal(IJournalFile file, ReadOnlySpan<byte> digest, int slot)
    {
        (_file, _slot) = (file, slot);
        _digest = digest.ToArray();
    }

    /// <summary>Makes a journal of full length under its final name, or none at all.</summary>
    public static JobJournal Create(string path, JournalHead head)
    {
        byte[] content = NewContent(head);
        return Create(JournalFile.Create(path, content), content);
    }

    /// <summary>Takes over a file that holds nothing but <paramref name="content"/>, which is <see cref="NewContent"/> of a head.</summary>
    public static JobJournal Create(IJournalFile file, ReadOnlySpan<byte> content) =>
        new(file, JournalFormat.DigestOf(content[..JournalFormat.HeadLength]), slot: 0);

    /// <summary>The bytes of a journal without records.</summary>
    public static byte[] NewContent(JournalHead head)
    {
        byte[] content = new byte[JournalFormat.FileLength];
        JournalFormat.WriteHead(content.AsSpan(0, JournalFormat.HeadLength), head.ToWire().ToByteArray());
        return content;
    }

    /// <summary>
    /// Opens a journal that an earlier process left. Null when a living process holds it. A journal that is not what was written is a
    /// <see cref="MigrationFault.JournalDamaged"/>.
    /// </summary>
    public static (JobJournal Journal, JournalContents Contents)? Open(string path) =>
        JournalFile.TryOpen(path) is { } file ? Open(file, path) : null;

    /// <summary>Takes over the open file of a journal; <paramref name="path"/> is for the message.</summary>
    public static (JobJournal Journal, JournalContents Contents) Open(IJournalFile file, string path)
    {
        try
        {
            byte[] content = file.Read();
            if (!JournalContents.TryParse(content, out JournalContents? contents, out string? reason))
                throw new MigrationException(MigrationFault.JournalDamaged, $"The journal {path} cannot be trusted: {reason}.");
            int slot = contents.Records.Count;
            int last = slot == 0 ? 0 : JournalFormat.SlotOffset(slot - 1);
            int length = slot == 0 ? JournalFormat.HeadLength : JournalFormat.SlotLength;
            return (new JobJournal(file, JournalFormat.DigestOf(content.AsSpan(last, length)), slot), contents);
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
        _file.Write(block, JournalFormat.SlotOffset(_slot));
        _file.Flush();
        JournalFormat.DigestOf(block).CopyTo(_digest);
        _slot++;
    }

    /// <summary>Forgets the job. Its last record says that it has ended, so a deletion that is lost does no harm.</summary>
    public void Delete()
    {
        _file.Delete();
        Dispose();
    }

    /// <summary>Forgets the job likewise, but for how it ended, which its source may ask.</summary>
    // spec: MIG-192
    public void SetAside(string place)
    {
        _file.SetAside(place);
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
}
