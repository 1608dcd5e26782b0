using System.Text;
using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>
/// Shows what happens as <paramref name="inner"/> does, remembers it, and leaves a report in <paramref name="file"/> when it is disposed of, whatever the end was, once that was prepared. Safe for use
/// from several threads; owns <paramref name="inner"/>.
/// </summary>
internal sealed class ReportingOutput(IOutput inner, string file, TimeProvider time) : IOutput
{
    private readonly Lock _recording = new();
    private readonly long _began = time.GetTimestamp();
    private readonly DateTimeOffset _beganAt = time.GetLocalNow();
    private bool _isWanted;
    private readonly List<(TimeSpan Time, AgentEvent Shown)> _events = [];

    /// <summary>What the report is about, as soon as it is known.</summary>
    public ReportSubject Subject { get; set; } = new("", Environment.MachineName, "");

    /// <summary>A report that cannot be written had better be refused before the migration than missed after it.</summary>
    public void Prepare()
    {
        try
        {
            File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.Write).Dispose();
            _isWanted = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--report {file} cannot be written: {exception.Message}", exception);
        }
    }

    public void Show(AgentEvent agentEvent)
    {
        lock (_recording)
            _events.Add((time.GetElapsedTime(_began), agentEvent));
        inner.Show(agentEvent);
    }

    public void Dispose()
    {
        try
        {
            if (_isWanted)
                File.WriteAllText(file, ReportPage.Of(Record()), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            inner.Show(new ReportMissed(file, exception.Message));
        }

        inner.Dispose();
    }

    private MigrationRecord Record()
    {
        var record = new MigrationRecord(Subject, _beganAt);
        lock (_recording)
        {
            foreach ((TimeSpan at, AgentEvent shown) in _events)
                record.Add(shown, at);
        }

        return record;
    }
}
