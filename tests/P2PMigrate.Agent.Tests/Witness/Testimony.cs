using System.Text.Json;

namespace P2PMigrate.Agent.Tests.Witness;

/// <summary>What the witness in the container says of itself.</summary>
/// <param name="Nonce">Drawn when the process started: the same one means the same process.</param>
/// <param name="Counter">Kept only in memory; never goes back.</param>
/// <param name="ReadOffset">Where its open file for reading stands.</param>
/// <param name="WriteOffset">Where its open file for writing stands.</param>
/// <param name="Wrong">What its memory and its disk disagree on; filled only by <c>check</c>.</param>
/// <param name="Sum">Of the memory that it never touches otherwise; filled only by <c>sum</c>.</param>
internal sealed record Testimony(string Nonce, long Counter, long ReadOffset, long WriteOffset, string[] Wrong, long Sum = 0)
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    public static Testimony Parse(string json) => JsonSerializer.Deserialize<Testimony>(json, s_options)!;
}
