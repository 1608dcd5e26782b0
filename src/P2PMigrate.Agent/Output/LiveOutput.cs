using P2PMigrate.Agent.Output.Live;
using Spectre.Console;

namespace P2PMigrate.Agent.Output;

/// <summary>Colour and a moving progress line on a terminal. Results stay on the screen, progress does not.</summary>
internal sealed class LiveOutput : IOutput
{
    private readonly Lock _writing = new();
    private readonly ProgressLine _progress = new(AnsiConsole.Console);

    public void Show(AgentEvent agentEvent)
    {
        lock (_writing)
        {
            switch (agentEvent)
            {
                case PhaseProgressed progressed:
                    _progress.Update(progressed);
                    break;
                case PhaseStarted started:
                    _progress.Finish();
                    _progress.Begin(started.Phase);
                    break;
                case PhaseFinished:
                    _progress.Finish();
                    break;
                default:
                    _progress.Finish();
                    AnsiConsole.MarkupLine(Styled(agentEvent));
                    break;
            }
        }
    }

    public void Dispose() => _progress.Finish();

    private static string Styled(AgentEvent agentEvent)
    {
        string line = Markup.Escape(agentEvent.ToLine());
        return agentEvent switch
        {
            MigrationCompleted or ContainerReceived or ArchiveWritten or ArchiveRestored or DataPushed or DataPulled or DumpWritten => $"[green]{line}[/]",
            MigrationFailed or ReceptionFailed => $"[red]{line}[/]",
            FindingMade { Severity: "blocker" } => $"[red]{line}[/]",
            FindingMade { Severity: "warning" } or MemoryFollows => $"[yellow]{line}[/]",
            TicketIssued => $"[bold]{line}[/]",
            _ => line,
        };
    }
}
