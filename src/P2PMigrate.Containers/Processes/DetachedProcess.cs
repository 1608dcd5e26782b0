using System.Diagnostics;

namespace P2PMigrate.Containers.Processes;

/// <summary>
/// A program that must reach its own end whatever happens to us: in a session of its own (no Ctrl-C of ours reaches it), with its
/// standard streams away from us (our end breaks no pipe of its), and never killed by this class. Its environment
/// carries <see cref="OwnedProcesses.Variable"/>, by which a later process of ours finds what is left of it.
/// </summary>
internal sealed class DetachedProcess : IDisposable
{
    /// <summary>Streams from and to /dev/null; <c>exec</c> keeps the pid.</summary>
    private const string SilentScript = """exec "$@" </dev/null >/dev/null 2>&1""";

    /// <summary>
    /// Streams are anonymous pipes that a <c>cat</c> drains for as long as anybody holds them: for a restored container whose own
    /// streams were pipes. It exits with the program's code as soon as the program ends.
    /// </summary>
    private const string PipedScript = """
        code=$({ { : | "$@" 2>&1 9>&-; echo $? >&9; } | env -u P2PMIGRATE_WORK cat >/dev/null 2>&1 9>&- & } 9>&1)
        exit "$code"
        """;

    private readonly Process _process;

    private readonly ProcessIdentity? _identity;

    private DetachedProcess(Process process) => (_process, _identity) = (process, ProcessIdentity.Of(process.Id));

    /// <summary>Starts a program. <paramref name="piped"/>: with pipes as its standard streams instead of /dev/null.</summary>
    public static DetachedProcess Start(string workDirectory, IEnumerable<string> commandLine, IReadOnlyDictionary<string, string> environment, bool piped)
    {
        var description = new ProcessStartInfo("setsid", ["/bin/sh", "-c", piped ? PipedScript : SilentScript, "sh", .. commandLine]);
        foreach ((string name, string value) in environment) description.Environment[name] = value;
        description.Environment[OwnedProcesses.Variable] = workDirectory;
        return new DetachedProcess(Process.Start(description) ?? throw new InvalidOperationException("setsid did not start"));
    }

    /// <summary>Has it ended? The kernel is asked too: <see cref="Process"/> knows of an end only when its signal has been handled.</summary>
    public bool HasEnded => _process.HasExited || _identity is not { IsAlive: true };

    /// <summary>Waits for the end; returns the exit code. Cancelling stops the wait, not the program.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>Waits for the end, but not longer than <paramref name="limit"/>; null when it still runs then.</summary>
    public async Task<int?> WaitAsync(TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit);
        try
        {
            return await WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => _process.Dispose();
}
