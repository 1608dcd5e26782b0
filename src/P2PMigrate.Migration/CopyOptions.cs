namespace P2PMigrate.Migration;

/// <summary>How the content of a container is copied.</summary>
public sealed record CopyOptions
{
    /// <summary>The most rounds that anyone may ask for: a target takes in one more, the final one.</summary>
    public const int MaxRoundsLimit = Control.ControlLimits.MaxRounds - 1;

    private readonly int _maxRounds = 8;
    private readonly TimeSpan _downtimeTarget = TimeSpan.FromMilliseconds(300);

    /// <summary>What is copied while the container runs.</summary>
    public MigrationMode Mode { get; init; } = MigrationMode.Auto;

    /// <summary>The switchover begins as soon as it is predicted to take no longer than this.</summary>
    public TimeSpan DowntimeTarget
    {
        get => _downtimeTarget;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            _downtimeTarget = value;
        }
    }

    /// <summary>Most rounds while the container runs, 1 to <see cref="MaxRoundsLimit"/>.</summary>
    public int MaxRounds
    {
        get => _maxRounds;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxRoundsLimit);
            _maxRounds = value;
        }
    }
}

/// <summary>What is copied while the container runs.</summary>
public enum MigrationMode
{
    /// <summary>Whatever makes the shortest downtime: at present <see cref="PreCopy"/> where memory can be read live, else <see cref="StopAndCopy"/>.</summary>
    Auto,

    /// <summary>The root file system; memory is sent while the container is frozen.</summary>
    StopAndCopy,

    /// <summary>The root file system and memory, in rounds; what has changed since is sent while the container is frozen.</summary>
    PreCopy,

    /// <summary>The root file system; memory follows when the container runs at the target, what it touches first. Until all of it has come, the container depends on both machines and on the way between them.</summary>
    PostCopy,
}
