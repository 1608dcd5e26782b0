using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Journal;

/// <summary>A state that a job had reached. <paramref name="State"/> is a number of <c>SourceState</c> or <c>TargetState</c>.</summary>
internal sealed record JournalRecord(int State, DateTimeOffset At, string Reason);

/// <summary>
/// What a journal holds. Bytes that nobody has written never become a record: they are <see cref="HasTornTail"/>, or the journal is damaged.
/// </summary>
/// <param name="Head">The job.</param>
/// <param name="Records">What it had reached, in order.</param>
/// <param name="HasTornTail">Behind the last record something is that is no record: the next one was being written, or it was whole once.</param>
internal sealed record JournalContents(JournalHead Head, IReadOnlyList<JournalRecord> Records, bool HasTornTail)
{
    /// <summary>The last state, or 0 when the job had only begun.</summary>
    public int LastState => Records.Count > 0 ? Records[^1].State : 0;

    /// <summary>Of a target: had it come so far that the source may have committed, and not have heard how it ended?</summary>
    // spec: MIG-192
    public bool MayBeAskedFor => Head is { Role: JobRole.Target, Kind: JobKind.Migration } && Records.Any(record => record.State == (int)TargetState.Restoring);

    /// <summary>Reads the bytes of a journal file. Any bytes give contents or a reason.</summary>
    // spec: MIG-52
    public static bool TryParse(
        ReadOnlySpan<byte> file, [NotNullWhen(true)] out JournalContents? contents, [NotNullWhen(false)] out string? reason)
    {
        contents = null;
        if (file.Length != JournalFormat.FileLength)
            reason = $"it is {file.Length} bytes long instead of {JournalFormat.FileLength}";
        else if (!JournalFormat.TryReadHead(file[..JournalFormat.HeadLength], out ReadOnlySpan<byte> payload)
            || !WireParser.TryParse(Wire.JournalHead.Parser, new ReadOnlySequence<byte>(payload.ToArray()), out Wire.JournalHead? wire)
            || JournalHead.From(wire) is not { } head)
            reason = "its head is not what was written";
        else
            contents = ReadSlots(file, head, out reason);
        return contents is not null;
    }

    private static JournalContents? ReadSlots(ReadOnlySpan<byte> file, JournalHead head, out string? reason)
    {
        var records = new List<JournalRecord>();
        ReadOnlySpan<byte> previous = JournalFormat.DigestOf(file[..JournalFormat.HeadLength]);
        for (int slot = 0; slot < JournalFormat.Slots; slot++)
        {
            ReadOnlySpan<byte> block = file.Slice(JournalFormat.SlotOffset(slot), JournalFormat.SlotLength);
            if (!JournalFormat.TryReadSlot(block, slot, previous, out ReadOnlySpan<byte> payload) || ToRecord(payload) is not { } record)
                return EndAt(file, slot, head, records, out reason);
            records.Add(record);
            previous = JournalFormat.DigestOf(block);
        }

        reason = null;
        return new JournalContents(head, records, HasTornTail: false);
    }

    /// <summary>Nothing behind: the end. One slot of something: a torn record. More: damaged.</summary>
    private static JournalContents? EndAt(
        ReadOnlySpan<byte> file, int slot, JournalHead head, List<JournalRecord> records, out string? reason)
    {
        int next = JournalFormat.SlotOffset(slot + 1);
        bool isLast = !file[next..].ContainsAnyExcept((byte)0);
        reason = isLast ? null : $"record {slot + 1} is not what was written, and more follow it";
        bool isTorn = file[JournalFormat.SlotOffset(slot)..next].ContainsAnyExcept((byte)0);
        return isLast ? new JournalContents(head, records, isTorn) : null;
    }

    private static JournalRecord? ToRecord(ReadOnlySpan<byte> payload) =>
        WireParser.TryParse(Wire.JournalRecord.Parser, new ReadOnlySequence<byte>(payload.ToArray()), out Wire.JournalRecord? wire)
            ? new JournalRecord((int)wire.State, DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(wire.UnixMs), wire.Reason)
            : null;
}
