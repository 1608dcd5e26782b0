using System.Text.Json;

namespace P2PMigrate.Lab;

/// <summary>
/// What the registry knows of one lab, written before the thing it tells of is made, so that whoever comes after a
/// crash finds everything: names of namespaces follow from <see cref="Name"/>, the rest is listed.
/// </summary>
internal sealed record LabRecord
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, IgnoreReadOnlyProperties = true };

    public required string Name { get; init; }

    /// <summary>The process whose end makes this lab garbage; null for one raised by the command, which stays until it is taken down.</summary>
    public ProcessIdentity? Owner { get; init; }

    public required CgroupPlace Cgroups { get; init; }

    /// <summary>The first process of each virtual host, by the host's name.</summary>
    public IReadOnlyDictionary<string, ProcessIdentity> Hosts { get; init; } = new Dictionary<string, ProcessIdentity>();

    /// <summary>Of a whole lab: what it is like, as far as its map depends on it.</summary>
    public LabPlan? Plan { get; init; }

    public bool IsOrphaned => Owner is { IsAlive: false };

    public static LabRecord? TryRead(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize<LabRecord>(File.ReadAllText(path), s_json) : null;

    public void Write(string path)
    {
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(this, s_json));
        File.Move(path + ".new", path, overwrite: true);
    }
}
