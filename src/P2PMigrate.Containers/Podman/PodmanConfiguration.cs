using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// What travels of a container of Podman besides its content: its number, the runtime that runs it, the <c>config.json</c> that Podman had written for that, and what Podman would have to be told to
/// create it again. The target's comes from the peer: a text that is not of this form is refused.
/// </summary>
// spec: MIG-182
internal sealed class PodmanConfiguration : IVolumeConfiguration
{
    /// <summary>How Podman calls the networks that it makes, as long as they are of root's.</summary>
    public const string Bridge = "bridge";

    private const string IdMember = "id", RuntimeMember = "runtime", BundleMember = "oci", CreationMember = "create", MountsMember = "mounts", VolumesMember = "volumes", NetworksMember = "Networks", AddressesMember = "static_ips";
    private const int IdLength = 64, NetworksMax = 16;

    private static readonly string[] s_runtimes = ["runc", "crun"], s_networkModes = ["none", "host", "path", Bridge];
    private static readonly string[] s_podmans = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/etc/passwd", "/etc/group", "/run/.containerenv", "/run/secrets", "/dev/shm"];

    /// <summary>What Podman would do by itself later, or write outside the container.</summary>
    private static readonly string[] s_ofItsMachine =
    [
        "restart_policy", "restart_tries", "remove", "removeImage", "pod", "dependencyContainers", "conmon_pid_file", "log_configuration", "healthconfig", "startupHealthConfig",
        "health_check_on_failure_action", "healthLogDestination", "init_container_type", "secrets",
    ];

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    private readonly JsonObject _bundle;
    private readonly JsonObject _creation;

    private PodmanConfiguration(string id, string runtime, JsonObject bundle, JsonObject creation) => (Id, Runtime, _bundle, _creation) = (id, runtime, bundle, creation);

    /// <summary>The container's number at its source.</summary>
    public string Id { get; }

    /// <summary>The runtime below Podman that runs it.</summary>
    public string Runtime { get; }

    /// <summary>Does Podman make its network?</summary>
    public bool HasNetworkOfPodman => Text((_creation["netns"] as JsonObject)?["nsmode"]) == Bridge;

    /// <summary>The networks of Podman's that it is in, and its addresses there.</summary>
    public IEnumerable<(string Name, IReadOnlyList<string> Addresses)> Networks =>
        from network in _creation[NetworksMember] as JsonObject ?? []
        select (network.Key, (IReadOnlyList<string>)[.. ((network.Value as JsonObject)?[AddressesMember] as JsonArray ?? []).Select(Text).OfType<string>()]);

    /// <summary>What is not said here must not be left to Podman to choose, and what is becomes words of command lines.</summary>
    private bool HasSensibleNetworks => Text((_creation["netns"] as JsonObject)?["nsmode"]) is { } mode && s_networkModes.Contains(mode)
        && (_creation[NetworksMember] is not JsonObject { Count: > 0 and var count } ? mode != Bridge
            : mode == Bridge && count <= NetworksMax && Networks.All(network => PodmanDump.IsName(network.Name) && network.Addresses.Count > 0 && network.Addresses.All(IsAddress)));

    /// <summary>Ports of the machine that lead to the container.</summary>
    public IEnumerable<PodmanPort> Ports =>
        from port in (_creation["portmappings"] as JsonArray ?? []).OfType<JsonObject>()
        where Number(port["host_port"]) is > 0 and <= IPEndPoint.MaxPort
        select new PodmanPort(Text(port["host_ip"]) ?? "", Number(port["host_port"]), Math.Clamp(Number(port["range"]), 1, IPEndPoint.MaxPort), Text(port["protocol"]) ?? "tcp");

    /// <inheritdoc/>
    public IReadOnlyList<BindMount> BindMounts => BundleConfiguration.TryParse(PlainBundle, out BundleConfiguration? plain) ? plain.BindMounts : [];

    /// <summary>Did systemd make its cgroup?</summary>
    public bool UsesSystemdCgroups => Text((_bundle["linux"] as JsonObject)?["cgroupsPath"])?.Contains(':', StringComparison.Ordinal) == true;

    /// <summary>The <c>config.json</c> without what Podman itself sees to: its own files in the container, the network that it makes, and its mark.</summary>
    public byte[] PlainBundle
    {
        get
        {
            var plain = (JsonObject)_bundle.DeepClone();
            plain.Remove("annotations");
            if (plain[MountsMember] is JsonArray mounts)
            {
                foreach (JsonNode? own in mounts.Where(IsPodmans).ToList()) mounts.Remove(own);
            }

            if (plain["process"] is JsonObject process) process.Remove("terminal");
            if (HasNetworkOfPodman && (plain["linux"] as JsonObject)?["namespaces"] is JsonArray namespaces)
            {
                foreach (JsonObject network in namespaces.OfType<JsonObject>().Where(entry => Text(entry["type"]) == "network")) network.Remove("path");
            }

            return Bytes(plain);
        }
    }

    /// <summary>Reads what a source has sent; false when it is of another form.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, [NotNullWhen(true)] out PodmanConfiguration? configuration)
    {
        configuration = null;
        if (Object(text) is not { } all) return false;
        if (all[IdMember] is not JsonValue value || !value.TryGetValue(out string? id) || id.Length != IdLength || !id.All(char.IsAsciiHexDigitLower)) return false;
        if (all[BundleMember] is not JsonObject bundle || all[CreationMember] is not JsonObject creation) return false;
        if (Text(all[RuntimeMember]) is not { } runtime || !s_runtimes.Contains(runtime)) return false;
        var read = new PodmanConfiguration(id, runtime, bundle, creation);
        if (!read.HasSensibleNetworks) return false;
        configuration = read;
        return true;
    }

    /// <summary>At the source: what is sent, of what Podman says. It does not say everything where it says how to create a container.</summary>
    public static byte[] Compose(PodmanContainer container, ReadOnlySpan<byte> bundle, string creation)
    {
        if (!BundleConfiguration.TryParse(bundle, out BundleConfiguration? oci) || Object(bundle) is not { } json || Object(System.Text.Encoding.UTF8.GetBytes(creation)) is not { } create)
            throw new Migration.Runtime.ContainerException($"Podman described the container {container.Name} in a form that P2PMigrate does not know.");
        foreach (string source in (string[])["image", "raw_image_name", "image_arch", "image_os", "image_variant", "rootfs", "name", "oci_runtime"]) create.Remove(source);
        if (json["hostname"] is { } hostName) create["hostname"] = hostName.DeepClone();
        if (container.HostConfig.NetworkMode == Bridge && container.NetworkSettings.Networks is { Count: > 0 }) KeepAddresses(create, container, container.NetworkSettings.Networks);
        else KeepNamespace(create, oci);
        Set(create, "cap_add", container.HostConfig.CapAdd);
        Set(create, "cap_drop", container.HostConfig.CapDrop);
        return Compose(container.Id, Path.GetFileName(container.Runtime), json, create);
    }

    private static byte[] Compose(string id, string runtime, JsonObject bundle, JsonObject creation) =>
        Bytes(new JsonObject { [IdMember] = id, [RuntimeMember] = runtime, [BundleMember] = bundle, [CreationMember] = creation });

    /// <summary>A volume to which Podman has given a name becomes a mount of a directory, where that is to be elsewhere.</summary>
    private static void NameVolumes(JsonObject create, IReadOnlyDictionary<string, string> sources)
    {
        if (create[VolumesMember] is not JsonArray volumes) return;
        foreach (JsonObject volume in volumes.OfType<JsonObject>().Where(volume => Text(volume["Dest"]) is { } destination && sources.ContainsKey(destination)).ToList())
        {
            volumes.Remove(volume);
            if (create[MountsMember] is not JsonArray mounts) create[MountsMember] = mounts = [];
            mounts.Add((JsonNode)new JsonObject { ["type"] = "bind", ["destination"] = Text(volume["Dest"]), ["source"] = "", ["options"] = volume["Options"]?.DeepClone() });
        }
    }

    /// <inheritdoc/>
    public byte[] WithSources(IReadOnlyDictionary<string, string> sources)
    {
        var (bundle, creation) = ((JsonObject)_bundle.DeepClone(), (JsonObject)_creation.DeepClone());
        NameVolumes(creation, sources);
        BundleConfiguration.SetSources(bundle, sources);
        BundleConfiguration.SetSources(creation, sources);
        return Compose(Id, Runtime, bundle, creation);
    }

    /// <summary>What Podman is told at the target, for a root file system that is a directory.</summary>
    public byte[] CreationOf(string name, string rootPath)
    {
        var create = (JsonObject)_creation.DeepClone();
        foreach (string place in s_ofItsMachine) create.Remove(place);
        create["name"] = name;
        create["rootfs"] = rootPath;
        return Bytes(create);
    }

    /// <summary>The configuration that the runtime is given: of the container of the number <paramref name="id"/>, with CRIU's own options in a file.</summary>
    public byte[] BundleOf(string id, string rootPath, string criuConfiguration)
    {
        var bundle = (JsonObject)JsonNode.Parse(_bundle.ToJsonString().Replace(Id, id, StringComparison.Ordinal))!;
        if (bundle["root"] is not JsonObject root) bundle["root"] = root = [];
        root["path"] = rootPath;
        if (bundle["annotations"] is not JsonObject annotations) bundle["annotations"] = annotations = [];
        annotations["org.criu.config"] = criuConfiguration;
        return Bytes(bundle);
    }

    private static void KeepNamespace(JsonObject create, BundleConfiguration bundle)
    {
        create.Remove(NetworksMember);
        create["netns"] = bundle.NetworkNamespacePath is { } path ? new JsonObject { ["nsmode"] = "path", ["value"] = path } : new JsonObject { ["nsmode"] = bundle.HasNetworkNamespace ? "none" : "host" };
    }

    /// <summary>Sockets are bound to the addresses that the container has, which Podman would choose anew. Its number here is one of its names in a network.</summary>
    private static void KeepAddresses(JsonObject create, PodmanContainer container, IReadOnlyDictionary<string, PodmanAddresses> addresses)
    {
        create["netns"] = new JsonObject { ["nsmode"] = Bridge };
        var networks = create[NetworksMember] as JsonObject ?? [];
        create[NetworksMember] = networks;
        foreach ((string name, PodmanAddresses known) in addresses)
        {
            if (networks[name] is not JsonObject network) networks[name] = network = [];
            network[AddressesMember] = new JsonArray([.. known.All.Select(address => JsonValue.Create(address))]);
            network["static_mac"] = known.MacAddress;
            if (network["aliases"] is JsonArray aliases) network["aliases"] = new JsonArray([.. aliases.Select(Text).Where(alias => alias is { Length: > 0 } && !container.Id.StartsWith(alias, StringComparison.Ordinal)).Select(alias => JsonValue.Create(alias))]);
        }
    }

    /// <summary>Is it one of the files that Podman itself puts into a container, from its own directory?</summary>
    private bool IsPodmans(JsonNode? mount) =>
        mount is JsonObject entry && Text(entry["source"]) is { } source && Text(entry["destination"]) is { } destination
        && s_podmans.Contains(destination, StringComparer.Ordinal) && source.Contains($"/{Id}/", StringComparison.Ordinal) && !source.Contains("..", StringComparison.Ordinal);

    private static string? Text(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair
        }
    }

    /// <summary>Written in the one way in which it can be compared.</summary>
    private static bool IsAddress(string text) => IPAddress.TryParse(text, out IPAddress? address) && address.ToString() == text;

    private static int Number(JsonNode? node) => node is JsonValue value && value.TryGetValue(out int number) ? number : 0;

    private static void Set(JsonObject create, string name, IReadOnlyList<string>? values)
    {
        if (values is { Count: > 0 }) create[name] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]);
    }

    private static JsonObject? Object(ReadOnlySpan<byte> text)
    {
        try
        {
            return text.Length > BundleConfiguration.BytesMax || !System.Text.Unicode.Utf8.IsValid(text) ? null : JsonNode.Parse(text, documentOptions: s_strict) as JsonObject;
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static byte[] Bytes(JsonObject json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
}
