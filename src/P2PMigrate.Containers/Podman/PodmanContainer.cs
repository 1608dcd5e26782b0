using System.Text.Json.Serialization;

namespace P2PMigrate.Containers.Podman;

/// <summary>What <c>podman container inspect</c> says of a container, as far as migration looks into it.</summary>
internal sealed record PodmanContainer
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>The pod that it belongs to; empty when to none.</summary>
    public string Pod { get; init; } = "";

    /// <summary>The directory that is its root file system; empty when that is made of an image.</summary>
    public string Rootfs { get; init; } = "";

    /// <summary>Podman's own directory of it, with the configuration that the runtime was given.</summary>
    public string StaticDir { get; init; } = "";

    [JsonPropertyName("OCIRuntime")]
    public string Runtime { get; init; } = "";

    public IReadOnlyList<string>? Dependencies { get; init; }

    public PodmanState State { get; init; } = new();

    public PodmanSettings Config { get; init; } = new();

    public PodmanHostSettings HostConfig { get; init; } = new();

    public PodmanNetworkSettings NetworkSettings { get; init; } = new();
}

/// <summary>The networks that a container of Podman is in.</summary>
internal sealed record PodmanNetworkSettings
{
    /// <summary>Those that Podman makes, by their names; null or empty when it is in none.</summary>
    public IReadOnlyDictionary<string, PodmanAddresses>? Networks { get; init; }
}

/// <summary>Who a container is in one of its networks; empty where it has none.</summary>
internal sealed record PodmanAddresses
{
    [JsonPropertyName("IPAddress")]
    public string Address { get; init; } = "";

    [JsonPropertyName("GlobalIPv6Address")]
    public string Address6 { get; init; } = "";

    public string MacAddress { get; init; } = "";

    /// <summary>Its internet addresses.</summary>
    public IEnumerable<string> All => new[] { Address, Address6 }.Where(address => address.Length > 0);
}

/// <summary>How a container of Podman is.</summary>
internal sealed record PodmanState
{
    public string Status { get; init; } = "";

    public int Pid { get; init; }
}

/// <summary>How a container of Podman shall be, wherever it runs.</summary>
internal sealed record PodmanSettings
{
    public bool Tty { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public IReadOnlyList<PodmanSecret>? Secrets { get; init; }

    public PodmanHealthcheck? Healthcheck { get; init; }
}

/// <summary>Something secret that Podman keeps and shows to a container.</summary>
internal sealed record PodmanSecret
{
    public string Name { get; init; } = "";
}

/// <summary>A command that Podman runs in a container from time to time.</summary>
internal sealed record PodmanHealthcheck
{
    public IReadOnlyList<string>? Test { get; init; }
}

/// <summary>How a container of Podman shall be on its machine.</summary>
internal sealed record PodmanHostSettings
{
    public string NetworkMode { get; init; } = "";

    public bool AutoRemove { get; init; }

    public string UsernsMode { get; init; } = "";

    public string PidMode { get; init; } = "";

    public string IpcMode { get; init; } = "";

    [JsonPropertyName("UTSMode")]
    public string UtsMode { get; init; } = "";

    public string CgroupMode { get; init; } = "";

    public IReadOnlyList<string>? CapAdd { get; init; }

    public IReadOnlyList<string>? CapDrop { get; init; }

    public PodmanRestartPolicy RestartPolicy { get; init; } = new();
}

/// <summary>Whether Podman starts a container again that has ended.</summary>
internal sealed record PodmanRestartPolicy
{
    public string Name { get; init; } = "";
}

/// <summary>What <c>podman network inspect</c> says of a network that Podman makes.</summary>
internal sealed record PodmanNetwork
{
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    [JsonPropertyName("subnets")]
    public IReadOnlyList<PodmanSubnet>? Subnets { get; init; }

    /// <summary>Those that run in it, by their numbers.</summary>
    [JsonPropertyName("containers")]
    public IReadOnlyDictionary<string, PodmanNeighbour>? Containers { get; init; }

    /// <summary>Who has an address in it, or null.</summary>
    public string? HolderOf(string address) =>
        Containers?.Values.FirstOrDefault(one => one.Interfaces?.Values.Any(link => link.Subnets?.Any(own => own.Address.StartsWith(address + "/", StringComparison.Ordinal)) == true) == true)?.Name;
}

/// <summary>Addresses that a network of Podman's gives away, such as <c>10.88.0.0/16</c>.</summary>
internal sealed record PodmanSubnet
{
    [JsonPropertyName("subnet")]
    public string Range { get; init; } = "";

    /// <summary>Of a container in it: its address, with the length of its subnet's prefix.</summary>
    [JsonPropertyName("ipnet")]
    public string Address { get; init; } = "";
}

/// <summary>A container in a network of Podman's.</summary>
internal sealed record PodmanNeighbour
{
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    [JsonPropertyName("interfaces")]
    public IReadOnlyDictionary<string, PodmanInterface>? Interfaces { get; init; }
}

/// <summary>By which a container is in a network.</summary>
internal sealed record PodmanInterface
{
    [JsonPropertyName("subnets")]
    public IReadOnlyList<PodmanSubnet>? Subnets { get; init; }
}

/// <summary>The answer to the creation of a container.</summary>
internal sealed record PodmanCreated
{
    public string Id { get; init; } = "";
}

/// <summary>What is said of a request that could not be fulfilled.</summary>
internal sealed record PodmanRefusal
{
    [JsonPropertyName("message")]
    public string Message { get; init; } = "";
}

/// <summary>The JSON documents of Podman, generated ahead of time.</summary>
[JsonSerializable(typeof(PodmanContainer[]))]
[JsonSerializable(typeof(PodmanDump))]
[JsonSerializable(typeof(Dictionary<string, PodmanNeighbour>))]
[JsonSerializable(typeof(PodmanNetwork[]))]
[JsonSerializable(typeof(PodmanCreated))]
[JsonSerializable(typeof(PodmanRefusal))]
internal sealed partial class PodmanJson : JsonSerializerContext;
