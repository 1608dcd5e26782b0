using System.Text.Json;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration;

/// <summary>
/// What a switchover costs beside the content that must be sent: begins with what is usual, and learns from each migration that this machine
/// completes. Safe for use from several threads.
/// </summary>
// spec: MIG-83, MIG-124
public sealed class DowntimeModel
{
    /// <summary>Freeze, CRIU's own work at both ends, images, verification, commit, for a small container.</summary>
    public static readonly TimeSpan DefaultFixed = TimeSpan.FromMilliseconds(240);

    /// <summary>Dumping a page, putting it together at the target, and restoring it.</summary>
    public static readonly TimeSpan DefaultPerPage = TimeSpan.FromMicroseconds(12);

    private const double LearningRate = 0.5;
    /// <summary>So many times what was expected, or that part of it, is the most that is believed.</summary>
    // spec: MIG-123, MIG-124, CONST-311
    internal const double MostSurprise = 4;

    private const int FileLengthMax = 4096;

    private readonly Lock _lock = new();
    private readonly string? _path;
    private DowntimeCosts _costs = DowntimeCosts.Usual;      // guarded by _lock, like the file

    /// <summary>A model that forgets what it learned when the process ends.</summary>
    public DowntimeModel()
    {
    }

    /// <summary>
    /// A model that keeps what it learns in a file, which need not exist yet. What cannot be read, or makes no sense, counts as nothing; what cannot be written is lost
    /// with the process.
    /// </summary>
    public DowntimeModel(string path) => (_path, _costs) = (path, Read(path) ?? DowntimeCosts.Usual);

    /// <summary>What is expected at present.</summary>
    internal DowntimeCosts Costs
    {
        get
        {
            lock (_lock)
                return _costs;
        }
    }

    /// <summary>
    /// A migration took <paramref name="downtime"/>, of which <paramref name="sending"/> went into content that the target lacked and into waiting for its answers; it had
    /// <paramref name="memoryBytes"/> of memory. <paramref name="assumed"/> is what was expected of it, with the peer's experience; null: what this model expects.
    /// </summary>
    internal void Learn(TimeSpan downtime, TimeSpan sending, long memoryBytes, DowntimeCosts? assumed = null)
    {
        TimeSpan seen = downtime - sending;
        if (seen <= TimeSpan.Zero)
            return;
        lock (_lock)
        {
            DowntimeCosts before = assumed ?? _costs;
            _costs = Learned(before, seen, memoryBytes / PageRun.PageSize);
            Write();
        }
    }

    /// <summary>
    /// Of the first migration everything is learned, of later ones half of what was not expected. Which of the two costs it was nobody can tell: the one that makes up most of
    /// what was expected takes most of it. A surprise is bounded, for one link that was away under the freeze says nothing about the next migration.
    /// </summary>
    private static DowntimeCosts Learned(DowntimeCosts before, TimeSpan seen, long pages)
    {
        double known = before.Fixed.TotalSeconds, perPage = before.PerPage.TotalSeconds;
        double expected = known + (perPage * pages);
        double surprise = Math.Clamp(seen.TotalSeconds, expected / MostSurprise, expected * MostSurprise) - expected;
        double learned = surprise * Math.Max(LearningRate, 1.0 / (before.Migrations + 1));
        double share = known * known / ((known * known) + (perPage * pages * perPage * pages));
        return new DowntimeCosts(
            TimeSpan.FromSeconds(known + (learned * share)),
            pages == 0 ? before.PerPage : TimeSpan.FromSeconds(perPage + (learned * (1 - share) / pages)),
            Math.Min(before.Migrations + 1, DowntimeCosts.MostMigrations));
    }

    private static DowntimeCosts? Read(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: <= FileLengthMax }
                && JsonSerializer.Deserialize(File.ReadAllBytes(path), DowntimeCostsJson.Default.DowntimeCosts) is { IsBelievable: true } costs ? costs : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all; another process of this machine may write it at the same time, and then the last one counts.</summary>
    private void Write()
    {
        if (_path is null)
            return;
        string draft = $"{_path}.{Guid.NewGuid():n}";
        try
        {
            File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(_costs, DowntimeCostsJson.Default.DowntimeCosts));
            File.Move(draft, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // a worse prediction next time
        }
    }
}
