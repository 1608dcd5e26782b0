using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration;

/// <summary>
/// What a switchover costs beside the content that must be sent: begins with what is usual, and learns from each migration that this machine
/// completes. Safe for use from several threads.
/// </summary>
// spec: MIG-83
public sealed class DowntimeModel
{
    /// <summary>Freeze, CRIU's own work at both ends, images, verification, commit, for a small container.</summary>
    public static readonly TimeSpan DefaultFixed = TimeSpan.FromMilliseconds(220);

    /// <summary>Dumping a page, putting it together at the target, and restoring it.</summary>
    public static readonly TimeSpan DefaultPerPage = TimeSpan.FromMicroseconds(7);

    private const double LearningRate = 0.5;
    private const string FixedField = "fixedMilliseconds";
    private const int FileLengthMax = 4096;
    private static readonly TimeSpan s_believable = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly string? _path;
    private TimeSpan _fixed = DefaultFixed;      // guarded by _lock, like the file

    /// <summary>A model that forgets what it learned when the process ends.</summary>
    public DowntimeModel()
    {
    }

    /// <summary>
    /// A model that keeps what it learns in a file, which need not exist yet. What cannot be read, or makes no sense, counts as nothing; what cannot be written is lost
    /// with the process.
    /// </summary>
    public DowntimeModel(string path) => (_path, _fixed) = (path, Read(path) ?? DefaultFixed);

    /// <summary>What is expected at present.</summary>
    internal DowntimeCosts Costs
    {
        get
        {
            lock (_lock)
                return new DowntimeCosts(_fixed, DefaultPerPage);
        }
    }

    /// <summary>
    /// A migration took <paramref name="downtime"/>, of which <paramref name="sending"/> went into content that the target lacked and into waiting for its answers; it had
    /// <paramref name="memoryBytes"/> of memory.
    /// </summary>
    internal void Learn(TimeSpan downtime, TimeSpan sending, long memoryBytes)
    {
        TimeSpan seen = downtime - sending - (memoryBytes / PageRun.PageSize * DefaultPerPage);
        if (seen <= TimeSpan.Zero)
            return;
        lock (_lock)
        {
            _fixed += (seen - _fixed) * LearningRate;
            Write();
        }
    }

    private static TimeSpan? Read(string path)
    {
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: <= FileLengthMax })
                return null;
            using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(path));
            return file.RootElement.ValueKind == JsonValueKind.Object
                && file.RootElement.TryGetProperty(FixedField, out JsonElement field) && field.ValueKind == JsonValueKind.Number
                && field.TryGetDouble(out double milliseconds) && milliseconds > 0 && milliseconds <= s_believable.TotalMilliseconds
                ? TimeSpan.FromMilliseconds(milliseconds) : null;
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
            File.WriteAllBytes(draft, Encoding.UTF8.GetBytes(new JsonObject { [FixedField] = _fixed.TotalMilliseconds }.ToJsonString()));
            File.Move(draft, _path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // a worse prediction next time
        }
    }
}

/// <summary>What a switchover costs beside content that must be sent.</summary>
/// <param name="Fixed">Whatever the container's size.</param>
/// <param name="PerPage">For each page of its memory.</param>
internal readonly record struct DowntimeCosts(TimeSpan Fixed, TimeSpan PerPage);
