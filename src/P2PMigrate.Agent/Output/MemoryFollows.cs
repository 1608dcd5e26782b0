using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>The container runs at the target, and memory that was left at the source is sent from now on; the phase <c>giving</c> says how much has come.</summary>
internal sealed record MemoryFollows(string Container) : AgentEvent
{
    /// <summary>Is this the target?</summary>
    [JsonIgnore]
    public bool IsTarget { get; init; }

    /// <summary>Where the container runs.</summary>
    public string RunningAt { get; } = "target";

    public override string ToLine() => (IsTarget ? $"{Container} runs here now. The rest of its memory is still at its source, frozen, and follows." : $"{Container} runs at the target now. The rest of its memory is still here, frozen, and follows.")
        + $" Until the last page has come, {Container} depends on both machines and on the way between them: leave both up.";
}
