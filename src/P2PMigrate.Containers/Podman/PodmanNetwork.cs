using System.Text.Json.Serialization;

namespace P2PMigrate.Containers.Podman;

/// <summary>What <c>podman network inspect</c> says of a network that Podman makes.</summary>
internal sealed record PodmanNetwork
{
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    [JsonPropertyName("driver")]
    public string Driver { get; init; } = "";

    [JsonPropertyName("options")]
    public IReadOnlyDictionary<string, string>? Options { get; init; }

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

    /// <summary>The machine's own address in it.</summary>
    [JsonPropertyName("gateway")]
    public string Gateway { get; init; } = "";

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
