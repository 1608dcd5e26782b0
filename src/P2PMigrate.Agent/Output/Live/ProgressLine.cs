using System.Globalization;
using Spectre.Console;

namespace P2PMigrate.Agent.Output.Live;

/// <summary>
/// The one moving line of the terminal: the phase, a bar, bytes and rate. Redrawn in place at most ten times a second; when the phase
/// ends the line stays with the time that it took. One owner.
/// </summary>
internal sealed class ProgressLine(IAnsiConsole console)
{
    private const int BarWidth = 30;
    private static readonly TimeSpan s_redrawInterval = TimeSpan.FromMilliseconds(100);

    private string? _phase;
    private PhaseProgressed? _last;
    private long _started;
    private long _drawn;

    /// <summary>Starts the line of a phase.</summary>
    public void Begin(string phase)
    {
        (_phase, _last, _started, _drawn) = (phase, null, TimeProvider.System.GetTimestamp(), 0);
        Draw();
    }

    /// <summary>Shows how far the phase is.</summary>
    public void Update(PhaseProgressed progressed)
    {
        if (_phase != progressed.Phase)
        {
            Finish();
            Begin(progressed.Phase);
        }
        _last = progressed;
        if (TimeProvider.System.GetElapsedTime(_drawn) >= s_redrawInterval)
            Draw();
    }

    /// <summary>Leaves the finished line on the screen.</summary>
    public void Finish()
    {
        if (_phase is null)
            return;
        Draw();
        console.WriteLine();
        _phase = null;
    }

    private void Draw()
    {
        _drawn = TimeProvider.System.GetTimestamp();
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(_started);
        console.Write(new ControlCode("\r\u001b[2K"));
        console.Markup($"{Markup.Escape(_phase!),-24} {Bar()} [grey]{elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture),5} s[/]  {Amount(elapsed)}");
    }

    private string Bar()
    {
        if (_last is not { BytesTotal: > 0 and var total, BytesDone: var done })
            return new string(' ', BarWidth);
        int filled = (int)Math.Clamp(BarWidth * done / total, 0, BarWidth);
        return $"[green]{new string('━', filled)}[/][grey]{new string('━', BarWidth - filled)}[/]";
    }

    private string Amount(TimeSpan elapsed)
    {
        if (_last is null)
            return "";
        string rate = elapsed.TotalSeconds < 0.2 ? "" : $" {ByteText.Of((long)(_last.BytesDone / elapsed.TotalSeconds))}/s";
        return _last.BytesTotal is { } total
            ? $"{ByteText.Of(_last.BytesDone)} / {ByteText.Of(total)}{rate}{(_last.EtaMs is { } eta ? $", {AgentEvent.Duration(eta)} left" : "")}"
            : $"{ByteText.Of(_last.BytesDone)}{rate}";
    }
}
