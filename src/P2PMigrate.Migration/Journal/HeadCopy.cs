using System.Buffers;
using Google.Protobuf;
using P2PMigrate.Migration.Control;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// The head of a job's journal once more, in the job's own directory: where the journal cannot be trusted, it tells which side of the job this machine was, and of which
/// container.
/// </summary>
// spec: MIG-150
internal static class HeadCopy
{
    private const string FileName = "head";

    /// <summary>Writes it, durably, into the directory of a job that has just been made.</summary>
    public static void Write(string jobDirectory, JournalHead head)
    {
        byte[] block = new byte[JournalFormat.HeadLength];
        JournalFormat.WriteHead(block, head.ToWire().ToByteArray());
        using (FileStream file = new(Path.Combine(jobDirectory, FileName), FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(block);
            file.Flush(flushToDisk: true);
        }

        DirectorySync.Flush(jobDirectory);
    }

    /// <summary>Reads it; null when there is none, or none that can be trusted.</summary>
    public static JournalHead? TryRead(StateDirectory state, JobId job)
    {
        try
        {
            byte[] block = new byte[JournalFormat.HeadLength];
            using FileStream file = File.OpenRead(Path.Combine(state.Job(job), FileName));
            file.ReadExactly(block);
            return JournalFormat.TryReadHead(block, out ReadOnlySpan<byte> payload)
                && WireParser.TryParse(Wire.JournalHead.Parser, new ReadOnlySequence<byte>(payload.ToArray()), out Wire.JournalHead? wire)
                && JournalHead.From(wire) is { } head && head.JobId == job ? head : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
