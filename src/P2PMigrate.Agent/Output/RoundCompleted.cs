using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>
/// A round of copying is over while the container runs: what of its memory was there and what was sent, how fast it changes, and what the downtime
/// would be if the container were stopped now. What nobody knows is left out.
/// </summary>
internal sealed record RoundCompleted(
    int Round, long RootfsBytes, long MemoryBytes, long NewBytes, long WireBytes, double Ms, double BytesPerSecond, double DowntimeTargetMs) : AgentEvent
{
    /// <summary>Memory that changes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DirtyBytesPerSecond { get; init; }

    /// <summary>Memory that would be sent while the container is stopped.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ExpectedBytes { get; init; }

    /// <summary>The downtime.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PredictedDowntimeMs { get; init; }

    /// <summary>Until the container runs at the target, if this was the last round or the next one is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EtaMs { get; init; }

    /// <summary>Why it was the last round: a stable word.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? End { get; init; }

    /// <summary>The same as a sentence.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EndReason { get; init; }

    public override string ToLine()
    {
        string memory = MemoryBytes == 0
            ? $"files {ByteText.Of(RootfsBytes)}"
            : $"memory {ByteText.Of(NewBytes)} of {ByteText.Of(MemoryBytes)} in {Milliseconds(Ms)}, {ByteText.Of((long)BytesPerSecond)}/s";
        string dirty = DirtyBytesPerSecond is { } rate ? $", changes {ByteText.Of((long)rate)}/s" : "";
        string predicted = PredictedDowntimeMs is { } ms ? $", downtime {Milliseconds(ms)} predicted, {Milliseconds(DowntimeTargetMs)} wanted" : "";
        string eta = EtaMs is { } left ? $", done in {Duration(left)}{(EndReason is null ? " at the earliest" : "")}" : "";
        return $"round {Round}: {memory}{dirty}{predicted}{eta}" + (EndReason is null ? "" : $". {EndReason}");
    }
}
