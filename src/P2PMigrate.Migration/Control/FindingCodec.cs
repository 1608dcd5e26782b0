using P2PMigrate.Migration.Runtime;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Control;

/// <summary>Messages that carry findings, to protobuf and back.</summary>
internal static class FindingCodec
{
    /// <summary>For the wire: blockers first, as many as fit.</summary>
    public static Wire.Refuse Wrap(Refuse refuse)
    {
        var wire = new Wire.Refuse { Reason = WireText.Fit(refuse.Reason) };
        wire.Findings.Add(Wrap(refuse.Findings));
        return wire;
    }

    /// <summary>For the wire: blockers first, as many as fit.</summary>
    public static Wire.Answer Wrap(Answer answer)
    {
        var wire = new Wire.Answer();
        wire.Findings.Add(Wrap(answer.Findings));
        return wire;
    }

    /// <summary>From the wire.</summary>
    public static Refuse? Unwrap(Wire.Refuse wire, out string? reason)
    {
        reason = wire.Findings.Count > ControlLimits.MaxFindings ? "a refusal has too many findings" : null;
        return reason is null ? new Refuse(WireText.Printable(wire.Reason), [.. wire.Findings.Select(Unwrap)]) : null;
    }

    /// <summary>From the wire.</summary>
    public static Answer? Unwrap(Wire.Answer wire, out string? reason)
    {
        reason = wire.Findings.Count > ControlLimits.MaxFindings ? "an answer has too many findings" : null;
        return reason is null ? new Answer([.. wire.Findings.Select(Unwrap)]) : null;
    }

    private static IEnumerable<Wire.Finding> Wrap(IReadOnlyList<Finding> findings) =>
        findings.OrderByDescending(finding => finding.Severity).Take(ControlLimits.MaxFindings).Select(Wrap);

    private static Wire.Finding Wrap(Finding finding) => new()
    {
        Severity = finding.Severity switch
        {
            FindingSeverity.Good => Wire.Severity.Good,
            FindingSeverity.Warning => Wire.Severity.Warning,
            _ => Wire.Severity.Blocker,
        },
        Subject = WireText.Fit(finding.Subject, ControlLimits.MaxWordLength),
        Message = WireText.Fit(finding.Message),
        Remedy = WireText.Fit(finding.Remedy ?? ""),
    };

    private static Finding Unwrap(Wire.Finding wire) => new(
        wire.Severity switch
        {
            Wire.Severity.Good => FindingSeverity.Good,
            Wire.Severity.Warning => FindingSeverity.Warning,
            _ => FindingSeverity.Blocker,
        },
        WireText.Printable(wire.Subject, ControlLimits.MaxWordLength),
        WireText.Printable(wire.Message),
        wire.Remedy.Length == 0 ? null : WireText.Printable(wire.Remedy));
}
