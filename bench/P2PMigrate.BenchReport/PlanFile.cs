using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.BenchReport;

/// <summary>Reads what a bench is to do from a file below <c>bench/plans</c>: JSON with comments.</summary>
public static class PlanFile
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { ReadCommentHandling = JsonCommentHandling.Skip };

    /// <summary>Throws a <see cref="LabException"/> in a sentence when the file cannot be read or holds something else.</summary>
    public static T Read<T>(string file)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(file), s_json) ?? throw new LabException($"{file} holds no plan");
        }
        catch (Exception exception) when (exception is JsonException or IOException)
        {
            throw new LabException($"{file} is no plan: {exception.Message}", exception);
        }
    }
}
