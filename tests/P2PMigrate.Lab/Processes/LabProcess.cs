using System.Diagnostics;

namespace P2PMigrate.Lab;

/// <summary>
/// A program running inside a node. Its output is kept line by line; its number is the one outside, so that it can be
/// killed without being asked. Disposing kills it and what it started. Members may be called from any thread.
/// </summary>
public sealed class LabProcess : IAsyncDisposable
{
    private static readonly TimeSpan ForkLimit = TimeSpan.FromSeconds(10);

    private readonly string _description;
    private readonly Process _entry;
    private readonly Task _reading;

    private LabProcess(string description, Process entry)
    {
        _description = description;
        _entry = entry;
        Output = new LineTranscript(Error);
        _reading = Task.WhenAll(Output.FillAsync(entry.StandardOutput), Error.FillAsync(entry.StandardError));
        Pid = entry.Id;
    }

    /// <summary>The program's process number outside all of the lab's namespaces.</summary>
    public int Pid { get; private set; }

    public LineTranscript Output { get; }

    public LineTranscript Error { get; } = new();

    public StreamWriter Input => _entry.StandardInput;

    public bool HasExited => _entry.HasExited;

    internal static async Task<LabProcess> StartAsync(
        string description, string[] command, string? input, bool entryForks, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = new LabProcess(description, Tool.Launch(start));
        try
        {
            if (input is not null) await process.FeedAsync(input).ConfigureAwait(false);
            if (entryForks) await process.FindForkAsync(cancellationToken).ConfigureAwait(false);
            return process;
        }
        catch
        {
            await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits for the end; the exit code is 128 + signal for a killed program.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken = default)
    {
        await _entry.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return _entry.ExitCode;
    }

    /// <summary>Waits for the end, of the program and of whoever shares its output, and returns all that was printed.</summary>
    public async Task<CommandResult> CompleteAsync(CancellationToken cancellationToken = default)
    {
        int exitCode = await WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new CommandResult(_description, exitCode, Output.Text, Error.Text);
    }

    public void Signal(UnixSignal signal)
    {
        if (HasExited) return;
        Native.Signal(Pid, signal);
        if (signal == UnixSignal.Continue) WakeEntry();
    }

    /// <summary>SIGKILL, and the wait for the end. With <paramref name="withDescendants"/> also for what descends from the program now.</summary>
    public async Task KillAsync(bool withDescendants = false, CancellationToken cancellationToken = default)
    {
        if (!HasExited)
        {
            int[] victims = withDescendants ? [.. ProcessTree.Of(Pid)] : [Pid];
            foreach (int victim in victims) Native.Signal(victim, UnixSignal.Kill);
            WakeEntry();
        }

        await _entry.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync(withDescendants: true).ConfigureAwait(false);
        _entry.Dispose();
    }

    private async Task FeedAsync(string input)
    {
        await Input.WriteAsync(input).ConfigureAwait(false);
        Input.Close();
    }

    /// <summary>The waiting parent stops itself when the program is stopped; nobody else would wake it.</summary>
    private void WakeEntry()
    {
        if (_entry.Id != Pid) Native.Signal(_entry.Id, UnixSignal.Continue);
    }

    /// <summary>To enter a pid namespace takes a fork: the program is the only child of what we started.</summary>
    private async Task FindForkAsync(CancellationToken cancellationToken)
    {
        long deadline = Environment.TickCount64 + (long)ForkLimit.TotalMilliseconds;
        while (!_entry.HasExited)
        {
            if (ProcessTree.ChildrenOf(_entry.Id) is [int program, ..])
            {
                Pid = program;
                return;
            }

            if (Environment.TickCount64 > deadline) throw new LabException($"`{_description}` did not start within {ForkLimit.TotalSeconds:0} s");
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        }
    }
}
