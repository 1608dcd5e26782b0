namespace P2PMigrate.Agent.Output;

/// <summary>
/// Plain lines, for pipes and logs. Results go to standard output; progress goes to standard error, at most one line a
/// second per phase, so that <c>$(p2pmigrate receive …)</c> and friends see only what was asked for.
/// </summary>
internal sealed class PlainOutput(TextWriter results, TextWriter progress) : IOutput
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _writing = new();
    private long _lastProgress;

    public void Show(AgentEvent agentEvent)
    {
        lock (_writing)
        {
            switch (agentEvent)
            {
                case PhaseProgressed:
                    if (TimeProvider.System.GetElapsedTime(_lastProgress) < s_progressInterval)
                        return;
                    _lastProgress = TimeProvider.System.GetTimestamp();
                    progress.WriteLine(agentEvent.ToLine());
                    break;
                case PhaseStarted:
                    break;
                case PhaseFinished or RoundCompleted or PathChosen or MemoryFollows or JobRecovered or TargetAsked or Interrupting or ReportMissed or MigrationFailed or ReceptionFailed:
                    progress.WriteLine(agentEvent.ToLine());
                    break;
                default:
                    results.WriteLine(agentEvent.ToLine());
                    results.Flush();
                    break;
            }
        }
    }

    public void Dispose() => results.Flush();
}
