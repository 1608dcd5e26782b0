using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Machines;

/// <summary>Why something did not work. The first one of a job wins.</summary>
/// <param name="Kind">What kind of reason.</param>
/// <param name="Reason">One sentence.</param>
internal sealed record Failure(FailureKind Kind, string Reason)
{
    /// <summary>The findings of a check that said no.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>Did the peer say it itself? Then it need not be told.</summary>
    public bool IsPeersWord { get; init; }
}
