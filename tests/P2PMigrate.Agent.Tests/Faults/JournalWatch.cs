using Microsoft.Win32.SafeHandles;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>Reads a host's journal from outside, as MIG-50 and MIG-51 lay it out: which record was the last to reach the disk.</summary>
internal sealed class JournalWatch(VirtualHost host)
{
    private const int HeadLength = 16 * 1024;
    private const int SlotLength = 512;
    private const int Slots = 32;
    private const int PayloadAt = 6;
    private const int FirstEnd = 10;     // rolling back and the ends of either side
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(0.5);

    private const string Journals = "/var/lib/p2pmigrate/journal";

    /// <summary>Blocks until a record says that the job is in <paramref name="state"/>, or has passed it and not ended; false when <paramref name="hasEnded"/> or time has run out.</summary>
    public bool WaitFor(int state, Func<bool> hasEnded, TimeSpan limit)
    {
        for (long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds; Environment.TickCount64 < deadline && !hasEnded();)
        {
            int last = State ?? 0;
            if (last >= state && last < FirstEnd)
                return true;
            if (last + 1 < state) // What comes just before may be over while we sleep.
                Thread.Sleep(s_glance);
        }

        return false;
    }

    /// <summary>Is there a job that has not come to its end? The journal of one that has is there for a moment longer.</summary>
    public bool HasUnended => State < FirstEnd;

    /// <summary>The last record's state; null when there is no job.</summary>
    public int? State
    {
        get
        {
            try
            {
                return Directory.EnumerateFiles(host.PathOf(Journals), "*.journal").FirstOrDefault() is { } file ? LastOf(Read(Path.GetFileName(file))) : null;
            }
            catch (IOException)
            {
                return null; // It is gone.
            }
        }
    }

    // Its owner holds a lock on it.
    private byte[] Read(string name)
    {
        using SafeFileHandle file = host.OpenUnlocked($"{Journals}/{name}");
        byte[] journal = new byte[HeadLength + (Slots * SlotLength)];
        return RandomAccess.Read(file, journal, 0) == journal.Length ? journal : [];
    }

    // A record's payload begins with its state, a number below 128: field 1 of the message.
    private static int LastOf(ReadOnlySpan<byte> journal)
    {
        int state = 0;
        for (int slot = 0; slot < Slots && HeadLength + ((slot + 1) * SlotLength) <= journal.Length; slot++)
        {
            ReadOnlySpan<byte> record = journal.Slice(HeadLength + (slot * SlotLength), SlotLength);
            if (record[0] != slot + 1)
                break;
            state = record[PayloadAt + 1];
        }

        return state;
    }
}
