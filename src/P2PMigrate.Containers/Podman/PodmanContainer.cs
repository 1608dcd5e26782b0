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

    [JsonPropertyName("SecondaryIPAddresses")]
    public IReadOnlyList<PodmanSecondary>? Secondary { get; init; }

    [JsonPropertyName("SecondaryIPv6Addresses")]
    public IReadOnlyList<PodmanSecondary>? Secondary6 { get; init; }

    /// <summary>Its internet addresses.</summary>
    public IEnumerable<string> All => new[] { Address, Address6 }.Concat((Secondary ?? []).Concat(Secondary6 ?? []).Select(other => other.Address)).Where(address => address.Length > 0);
}

/// <summary>One more address of a container in a network.</summary>
internal sealed record PodmanSecondary
{
    [JsonPropertyName("Addr")]
    public string Address { get; init; } = "";
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
