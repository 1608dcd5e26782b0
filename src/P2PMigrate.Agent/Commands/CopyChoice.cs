using System.CommandLine;
using System.Globalization;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Commands;

/// <summary>The options <c>--mode</c>, <c>--downtime-target</c> and <c>--max-rounds</c>: how content is copied, and when the container is stopped.</summary>
internal sealed class CopyChoice
{
    /// <summary>No downtime target is longer.</summary>
    internal static readonly TimeSpan LongestTarget = TimeSpan.FromHours(1);

    private const string PostCopy = "post-copy", Hybrid = "hybrid";

    /// <summary>The one runtime that restores a container before its memory is there.</summary>
    private const string LateRuntime = "runc";

    private static readonly CopyOptions s_default = new();

    private static readonly (string Word, MigrationMode Mode)[] s_modes =
    [
        ("auto", MigrationMode.Auto), ("stop-and-copy", MigrationMode.StopAndCopy), ("pre-copy", MigrationMode.PreCopy),
        (Hybrid, MigrationMode.Hybrid), (PostCopy, MigrationMode.PostCopy),
    ];

    private readonly Option<string> _mode = new("--mode")
    {
        Description = "pre-copy sends memory in rounds while the container runs, stop-and-copy only while it is stopped; auto takes the better of these. "
            + "post-copy (runc only) sends it when the container runs at the target, hybrid in rounds before and what has changed then: until the last page has come, the container depends on both machines and on the way between them.",
        HelpName = "auto|stop-and-copy|pre-copy|hybrid|post-copy",
        DefaultValueFactory = _ => s_modes[0].Word,
    };

    private readonly Option<string> _target = new("--downtime-target")
    {
        Description = "Stop the container as soon as the downtime is predicted to be no longer than this. Where auto cannot come so far, and you have named it, memory follows as with hybrid, if the target can do that.",
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
        if (word == PostCopy && WasTyped(parsed, _target))
            throw new UsageException("--downtime-target says when memory has been sent in enough rounds, and --mode post-copy sends none before the container runs at the target: leave out one of the two.");
        return new CopyOptions { Mode = s_modes[mode].Mode, DowntimeTarget = downtime, MaxRounds = rounds, MayFollow = WasTyped(parsed, _target) };
    }

    /// <summary>Refuses what a stage cannot do: between its machines is a place, which nobody can ask for a page.</summary>
    public void RefuseStage(ParseResult parsed)
    {
        if (parsed.GetValue(_mode) is { } word and (PostCopy or Hybrid))
            throw new UsageException($"--mode {word} needs both machines at once, and a stage leaves everything in a place between them: leave out --mode, or migrate with --to TICKET and without -s.");
    }

    /// <summary>Refuses what can be known here not to be possible with this container.</summary>
    public static void RefuseUnable(CopyOptions copy, ContainerDescription container)
    {
        if (copy.Mode is MigrationMode.PostCopy or MigrationMode.Hybrid && container.Runtime != LateRuntime)
            throw new UsageException($"--mode {Array.Find(s_modes, known => known.Mode == copy.Mode).Word} is for containers of {LateRuntime}, and '{container.Name}' is one of {container.Runtime}, which is restored with all its memory or not at all. Type the same without --mode.");
    }

    private static bool WasTyped(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

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
