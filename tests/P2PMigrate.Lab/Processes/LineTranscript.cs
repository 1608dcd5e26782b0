using System.Runtime.CompilerServices;

namespace P2PMigrate.Lab;

/// <summary>
/// The lines a running program has printed, kept from the first on, with readers that wait for more. One writer, any
/// number of readers on any threads.
/// </summary>
/// <param name="complaints">Where the same program prints its errors, told with a line that never came.</param>
public sealed class LineTranscript(LineTranscript? complaints = null)
{
    /// <summary>A program that prints more than this is not one a test watches; the rest is dropped.</summary>
    public const int MaxLines = 200_000;

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = NewSignal();
    private bool _complete;

    /// <summary>What has been printed so far.</summary>
    public string Text
    {
        get
        {
            lock (_gate) return string.Join('\n', _lines);
        }
    }

    private string Story => complaints is { Text.Length: > 0 } ? $"{Text}\nand on standard error:\n{complaints.Text}" : Text;

    /// <summary>All lines, those to come included, until the program closes its stream.</summary>
    public async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (int next = 0; ; next++)
        {
            if (await LineAsync(next, cancellationToken).ConfigureAwait(false) is not { } line) yield break;
            yield return line;
        }
    }

    /// <summary>The first line, printed already or still to come, that matches. Throws a <see cref="LabException"/> when none comes in time.</summary>
    public async Task<string> WaitForAsync(Func<string, bool> matches, TimeSpan limit, CancellationToken cancellationToken = default)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(limit);
        try
        {
            await foreach (string line in ReadAsync(time.Token).ConfigureAwait(false))
                if (matches(line)) return line;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LabException($"the awaited line did not come within {limit.TotalSeconds:0.#} s; printed so far:\n{Story}");
        }

        throw new LabException($"the stream ended without the awaited line; printed:\n{Story}");
    }

    /// <summary>Takes lines from a program's stream until its end.</summary>
    internal async Task FillAsync(TextReader reader)
    {
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line) Change(() => Keep(line));
        Change(() => _complete = true);
    }

    private async Task<string?> LineAsync(int index, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (index < _lines.Count) return _lines[index];
                if (_complete) return null;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Keep(string line)
    {
        if (_lines.Count < MaxLines) _lines.Add(line);
    }

    private void Change(Action change)
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            change();
            signal = _changed;
            _changed = NewSignal();
        }

        signal.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
