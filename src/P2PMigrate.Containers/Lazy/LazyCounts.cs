using P2PMigrate.Containers.Checkpoints;

namespace P2PMigrate.Containers.Lazy;

/// <summary>What has become of the pages of one restore, and how long those waited who asked for one.</summary>
internal sealed record LazyCounts
{
    /// <summary>Somebody waited for a page, so many times.</summary>
    public long Faults { get; set; }

    /// <summary>Pages that were given.</summary>
    public long Given { get; set; }

    /// <summary>Pages that were there already.</summary>
    public long There { get; set; }

    /// <summary>Pages of zeros: somebody waited where nothing had been dumped.</summary>
    public long Zeros { get; set; }

    /// <summary>Pages whose memory the kernel did not have any more.</summary>
    public long Nowhere { get; set; }

    /// <summary>Pages whose content was given up by their process.</summary>
    public long Removed { get; set; }

    /// <summary>Pages that were not mapped any more, or whose process had ended.</summary>
    public long Unmapped { get; set; }

    /// <summary>How long those who waited did, from the moment when we were told, in microseconds: together, and the longest.</summary>
    public long WaitMicroseconds { get; set; }

    /// <summary>The longest.</summary>
    public long WaitMicrosecondsMax { get; set; }

    /// <summary>From CRIU's end of the restore until the last page was given.</summary>
    public long Milliseconds { get; set; }

    /// <summary>Those of a restore that has come to its end; null when it has not, or they could not be written down.</summary>
    public static LazyCounts? Load(string workDirectory) => WorkRecord.Load(PathIn(workDirectory), LazyJson.Default.LazyCounts);

    /// <summary>Writes them down for whoever wants to know; nothing depends on it.</summary>
    public void TrySave(string workDirectory)
    {
        try
        {
            WorkRecord.Save(PathIn(workDirectory), this, LazyJson.Default.LazyCounts);
        }
        catch (IOException)
        {
            // a full disk
        }
    }

    private static string PathIn(string workDirectory) => Path.Combine(workDirectory, "lazy-counts.json");
}
