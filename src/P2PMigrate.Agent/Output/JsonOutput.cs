using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>One JSON object per line on standard output, flushed at once, so that a reader sees each event as it happens.</summary>
internal sealed class JsonOutput(TextWriter writer) : IOutput
{
    private static readonly AgentEventJson s_json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    private readonly Lock _writing = new();

    public static string Format(AgentEvent agentEvent) => agentEvent is SpeedCompleted speed
        ? JsonSerializer.Serialize(speed, s_json.SpeedCompleted)
        : JsonSerializer.Serialize(agentEvent, s_json.AgentEvent);

    public void Show(AgentEvent agentEvent)
    {
        string line = Format(agentEvent);
        lock (_writing)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }

    public void Dispose() => writer.Flush();
}

/// <summary>Serialisers made by the compiler, for ahead-of-time compilation.</summary>
[JsonSerializable(typeof(AgentEvent))]
[JsonSerializable(typeof(SpeedCompleted))]
internal sealed partial class AgentEventJson : JsonSerializerContext;
