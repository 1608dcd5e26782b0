using System.Text.Json.Serialization;

namespace P2PMigrate.Containers.Runc;

/// <summary>What <c>runc state</c> says of a container.</summary>
internal sealed record RuncState
{
    [JsonPropertyName("id")] public required string Id { get; init; }

    /// <summary>The first process in our pid namespace; zero when there is none.</summary>
    [JsonPropertyName("pid")] public int Pid { get; init; }

    [JsonPropertyName("status")] public required string Status { get; init; }

    [JsonPropertyName("bundle")] public required string Bundle { get; init; }

    [JsonPropertyName("rootfs")] public string RootFs { get; init; } = "";

    /// <summary>When runc made it: tells a container from a later one of the same name.</summary>
    [JsonPropertyName("created")] public string Created { get; init; } = "";
}

/// <summary>The JSON documents of this assembly, generated ahead of time.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(RuncState))]
[JsonSerializable(typeof(RestorePlan))]
internal sealed partial class RuncJson : JsonSerializerContext;
