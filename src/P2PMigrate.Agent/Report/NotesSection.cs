using System.Globalization;
using System.Text;
using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>The part of a report that says what somebody should know or do: warnings, findings of checks, what became of earlier jobs.</summary>
internal static class NotesSection
{
    public static void Append(StringBuilder page, MigrationRecord record)
    {
        string? warning = record.Completed?.Warning;
        if (warning is null && record.Notes.Count == 0)
            return;
        page.Append("<section><h2>To know</h2>");
        if (warning is not null)
            Note(page, "warning", warning, null);
        foreach (AgentEvent note in record.Notes)
        {
            if (note is FindingMade finding)
                Note(page, finding.Severity is "warning" or "blocker" or "good" ? finding.Severity : "", $"{finding.Subject} ({finding.Where}): {finding.Message}", finding.Remedy);
            else
                Note(page, "", note.ToLine(), null);
        }

        page.Append("</section>");
    }

    private static void Note(StringBuilder page, string kind, string text, string? remedy)
    {
        page.Append(CultureInfo.InvariantCulture, $"<div class=\"note {kind}\"><p>{ReportPage.Html(text)}</p>");
        if (remedy is not null)
            page.Append(CultureInfo.InvariantCulture, $"<p>{ReportPage.Html(remedy)}</p>");
        page.Append("</div>");
    }
}
