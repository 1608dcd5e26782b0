using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration;

/// <summary>What every job of this machine shares. Made once by the agent.</summary>
public sealed record MigrationEnvironment
{
    /// <summary>The runtime whose containers move.</summary>
    public required IContainerRuntime Runtime { get; init; }

    /// <summary>Where journals, images and received containers live.</summary>
    public required StateDirectory State { get; init; }

    /// <summary>The clock for deadlines and durations.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long things may take.</summary>
    public MigrationTimers Timers { get; init; } = new();

    /// <summary>What a switchover costs on this machine, as far as it was seen; is lost with the process unless it comes from a file.</summary>
    public DowntimeModel Downtimes { get; init; } = new();

    /// <summary>What the content of earlier migrations may take of the disk; 0 keeps nothing, null is <see cref="StoreSize.Default"/>.</summary>
    public long? StoreSize { get; init; }

    /// <summary>Opens a place that a journal names, for a stage that was left unfinished; throws <see cref="IOException"/> for one that it does not know.</summary>
    public Func<string, IObjectStore> OpenPlace { get; init; } = place => new DirectoryObjectStore(place);

    /// <summary>Where to log.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary><see cref="StoreSize"/> in bytes. The state directory is there.</summary>
    internal long StoreBytes => StoreSize ?? Migration.StoreSize.Default(State);

    /// <summary>Called with role and state when a record is on the disk and nothing has been done about it yet: the places where tests pull the plug.</summary>
    internal Action<JobRole, int>? JournalWritten { get; init; }
}
