using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Volumes;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// An OCI <c>config.json</c>, as far as migration looks into it. The target's comes from the peer: anything odd reads as absent, and
/// only a text that is no JSON object is refused. Everything that is not looked at is kept as it is.
/// </summary>
internal sealed class BundleConfiguration : IVolumeConfiguration
{
    /// <summary>No sensible configuration is longer.</summary>
    public const int BytesMax = 1 << 20;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };
    private readonly JsonObject _json;

    private BundleConfiguration(JsonObject json) => _json = json;

    /// <summary>Reads a configuration; false when it is no JSON object or too long.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, [NotNullWhen(true)] out BundleConfiguration? configuration)
    {
        configuration = null;
        if (text.Length > BytesMax || !System.Text.Unicode.Utf8.IsValid(text)) return false;
        try
        {
            if (JsonNode.Parse(text) is not JsonObject json) return false;
            _ = json.Count; // a lazy object finds doubled names only when it is looked into
            configuration = new BundleConfiguration(json);
            return true;
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>The root file system as written: absolute, or relative to the bundle.</summary>
    public string? RootPath => Text(Object(_json, "root"), "path");

    /// <summary>Is the container attached to a terminal?</summary>
    public bool HasTerminal => Object(_json, "process")?["terminal"] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>Has it a network namespace of any kind, or does it share the host's?</summary>
    public bool HasNetworkNamespace => Namespace("network") is not null;

    /// <summary>The network namespace that somebody prepared for it, or null when it is the container's own (or the host's).</summary>
    public string? NetworkNamespacePath => Text(Namespace("network"), "path") is { Length: > 0 } path ? path : null;

    /// <summary>Has it a user namespace of its own, so that its users are others outside?</summary>
    public bool MapsUsers => Namespace("user") is not null;

    /// <summary>Is its cgroup made by systemd (<c>slice:prefix:name</c>)?</summary>
    public bool UsesSystemdCgroups => CgroupsPath?.Contains(':', StringComparison.Ordinal) == true;

    /// <summary>Where its cgroup shall be, in runc's or systemd's notation; null when that is left to runc.</summary>
    public string? CgroupsPath => Text(Object(_json, "linux"), "cgroupsPath");

    /// <summary>Does it run programs of the host when it starts (OCI hooks)?</summary>
    public bool HasHooks => Object(_json, "hooks") is { Count: > 0 };

    /// <summary>The program that keeps a record of its own of the container and expects to be asked, such as <c>libpod</c>; null when nobody says so.</summary>
    public string? Manager => Text(Object(_json, "annotations"), "io.container.manager");

    /// <inheritdoc/>
    public IReadOnlyList<BindMount> BindMounts =>
    [
        .. from mount in BindsOf(_json)
           let source = Text(mount, "source")
           let destination = Text(mount, "destination")
           where source is not null && destination is not null && !source.Contains('\0', StringComparison.Ordinal) && !destination.Contains('\0', StringComparison.Ordinal)
           select new BindMount(source, destination) { MapsOwners = mount["uidMappings"] is not null || Array(mount, "options").Any(option => AsText(option) is "idmap" or "ridmap") },
    ];

    /// <summary>The same configuration for a root file system at another place, as text.</summary>
    public byte[] WithRootPath(string rootPath)
    {
        var changed = (JsonObject)_json.DeepClone();
        if (Object(changed, "root") is not { } root) changed["root"] = root = [];
        root["path"] = JsonValue.Create(rootPath);
        return System.Text.Encoding.UTF8.GetBytes(changed.ToJsonString(s_indented));
    }

    /// <inheritdoc/>
    public byte[] WithSources(IReadOnlyDictionary<string, string> sources)
    {
        var changed = (JsonObject)_json.DeepClone();
        SetSources(changed, sources);
        return System.Text.Encoding.UTF8.GetBytes(changed.ToJsonString(s_indented));
    }

    /// <summary>Gives the bind mounts of a configuration, or of anything that lists them as that does, other sources.</summary>
    public static void SetSources(JsonObject json, IReadOnlyDictionary<string, string> sources)
    {
        foreach (JsonObject mount in BindsOf(json))
        {
            if (Text(mount, "destination") is { } destination && sources.TryGetValue(destination, out string? source)) mount["source"] = source;
        }
    }

    private static IEnumerable<JsonObject> BindsOf(JsonObject json) =>
        from mount in Array(json, "mounts").OfType<JsonObject>()
        where Text(mount, "type") == "bind" || Array(mount, "options").Any(option => AsText(option) is "bind" or "rbind")
        select mount;

    private JsonObject? Namespace(string type) =>
        Array(Object(_json, "linux"), "namespaces").OfType<JsonObject>().FirstOrDefault(entry => Text(entry, "type") == type);

    private static JsonObject? Object(JsonObject? parent, string name) => parent?[name] as JsonObject;

    private static IEnumerable<JsonNode?> Array(JsonObject? parent, string name) => parent?[name] as JsonArray ?? [];

    private static string? Text(JsonObject? parent, string name) => AsText(parent?[name]);

    private static string? AsText(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
