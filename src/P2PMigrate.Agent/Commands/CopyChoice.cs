using System.CommandLine;
using System.Globalization;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>The options <c>--mode</c>, <c>--downtime-target</c> and <c>--max-rounds</c>: how content is copied, and when the container is stopped.</summary>
internal sealed class CopyChoice
{
    /// <summary>No downtime target is longer.</summary>
    internal static readonly TimeSpan LongestTarget = TimeSpan.FromHours(1);

    private static readonly CopyOptions s_default = new();

    private static readonly (string Word, MigrationMode Mode)[] s_modes =
    [
        ("auto", MigrationMode.Auto), ("stop-and-copy", MigrationMode.StopAndCopy), ("pre-copy", MigrationMode.PreCopy),
    ];

    private readonly Option<string> _mode = new("--mode")
    {
        Description = "pre-copy sends memory in rounds while the container runs, stop-and-copy only while it is stopped; auto takes the better one.",
        HelpName = "auto|stop-and-copy|pre-copy",
        DefaultValueFactory = _ => s_modes[0].Word,
    };

    private readonly Option<string> _target = new("--downtime-target")
    {
        Description = "Stop the container as soon as the downtime is predicted to be no longer than this.",
        HelpName = "300ms",
        DefaultValueFactory = _ => "300ms",
    };

    private readonly Option<int> _rounds = new("--max-rounds")
    {
        Description = $"Stop the container after so many rounds at the latest, 1 to {CopyOptions.MaxRoundsLimit}.",
        HelpName = "N",
        DefaultValueFactory = _ => s_default.MaxRounds,
    };

    /// <summary>For a command's list.</summary>
    public IEnumerable<Option> Options => [_mode, _target, _rounds];

    /// <summary>What the user chose.</summary>
    public CopyOptions Of(ParseResult parsed)
    {
        string word = parsed.GetValue(_mode)!;
        string target = parsed.GetValue(_target)!;
        int rounds = parsed.GetValue(_rounds);
        int mode = Array.FindIndex(s_modes, known => known.Word == word);
        if (mode < 0)
            throw new UsageException($"There is no mode {word}; there are {string.Join(", ", s_modes.Select(known => known.Word))}.");
        if (!TryParseDuration(target, out TimeSpan downtime))
            throw new UsageException($"--downtime-target {target} is no time of at most {LongestTarget.TotalHours:0} h: write 300ms or 1.5s.");
        if (rounds is < 1 or > CopyOptions.MaxRoundsLimit)
            throw new UsageException($"--max-rounds is 1 to {CopyOptions.MaxRoundsLimit}.");
        return new CopyOptions { Mode = s_modes[mode].Mode, DowntimeTarget = downtime, MaxRounds = rounds };
    }

    /// <summary>Reads <c>300ms</c>, <c>1.5s</c>, or a number of milliseconds; from nothing to <see cref="LongestTarget"/>.</summary>
    internal static bool TryParseDuration(string text, out TimeSpan duration)
    {
        (double factor, int suffix) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (1, 2),
            _ when text.EndsWith('s') => (1000, 1),
            _ => (1, 0),
        };
        bool isNumber = double.TryParse(text.AsSpan(0, text.Length - suffix), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value);
        double milliseconds = value * factor;
        bool isSound = isNumber && milliseconds >= 0 && milliseconds <= LongestTarget.TotalMilliseconds; // no infinity is, nor what is no number
        duration = isSound ? TimeSpan.FromMilliseconds(milliseconds) : default;
        return isSound;
    }
}
