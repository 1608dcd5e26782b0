using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Output;

/// <summary>Phases as users read them (on a line) and as scripts read them (in JSON).</summary>
internal static class PhaseText
{
    /// <summary>The stable word for scripts: <c>copying</c>.</summary>
    public static string Word(MigrationPhase phase) => phase.ToString().ToLowerInvariant() switch
    {
        "rollingback" => "rolling back",
        var word => word,
    };
}
