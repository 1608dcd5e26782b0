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

    /// <summary>
    /// With <see cref="MigrationMode.Auto"/>: where the rounds end and <see cref="DowntimeTarget"/> is not met, memory may follow when the container runs at the target, as with <see cref="MigrationMode.Hybrid"/>,
    /// if the target can do that. For a user who has named the target.
    /// </summary>
    // spec: MIG-106
    public bool MayFollow { get; init; }

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
    /// <summary>Whatever makes the shortest downtime without depending on two machines: <see cref="PreCopy"/> where memory can be read live, else <see cref="StopAndCopy"/>; but see <see cref="CopyOptions.MayFollow"/>.</summary>
    Auto,

    /// <summary>The root file system; memory is sent while the container is frozen.</summary>
    StopAndCopy,

    /// <summary>The root file system and memory, in rounds; what has changed since is sent while the container is frozen.</summary>
    PreCopy,

    /// <summary>The root file system; memory follows when the container runs at the target, what it touches first. Until all of it has come, the container depends on both machines and on the way between them.</summary>
    PostCopy,

    /// <summary>Both: memory in rounds, and what has changed since follows when the container runs at the target. Less is to follow, and for a shorter time.</summary>
    Hybrid,
}
