using System.Text.Json.Serialization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// What is in the work directory of a restore whose pages are given while it runs: who gives them, and who keeps the descriptors. Gone when every page has found its end.
/// </summary>
internal sealed record LazyHandover
{
    private const string FileName = "lazy-pages.json";

    /// <summary>In which boot; processes of an earlier one are gone.</summary>
    public required string BootId { get; init; }

    /// <summary>Who gives pages.</summary>
    public required ProcessIdentity Giver { get; init; }

    /// <summary>Who keeps the descriptors.</summary>
    public required ProcessIdentity Keeper { get; init; }

    /// <summary>The keeper's descriptor of the records.</summary>
    public required int LogDescriptor { get; init; }

    /// <summary>The keeper's descriptor of the connection with CRIU, once there is one.</summary>
    public int? CriuDescriptor { get; init; }

    /// <summary>Has CRIU handed over every process, and ended well? Nothing may run before that.</summary>
    public bool IsRestored { get; init; }

    /// <summary>The one of this boot, or null when there is none.</summary>
    public static LazyHandover? Load(string workDirectory) =>
        WorkRecord.Load(Path.Combine(workDirectory, FileName), LazyJson.Default.LazyHandover) is { } handover && handover.BootId == WorkRecord.CurrentBootId ? handover : null;

    /// <summary>Removes the one that is there.</summary>
    public static void Delete(string workDirectory) => File.Delete(Path.Combine(workDirectory, FileName));

    /// <summary>Replaces the one that is there.</summary>
    public void Save(string workDirectory) => WorkRecord.Save(Path.Combine(workDirectory, FileName), this, LazyJson.Default.LazyHandover);
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(LazyHandover))]
[JsonSerializable(typeof(LazyCounts))]
internal sealed partial class LazyJson : JsonSerializerContext;
