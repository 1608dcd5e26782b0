using System.Diagnostics;

namespace P2PMigrate.Fuzz.Engine;

/// <summary>Feeds a target with changed inputs for a while, keeps those that reach something new and those that break it.</summary>
internal sealed class FuzzLoop(FuzzTarget target, CoverageMap coverage, string folder, int seed)
{
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(2);
    private const int MaxFindings = 20;

    private readonly Mutator _mutator = new(seed);
    private readonly List<byte[]> _queue = [];
    private readonly HashSet<string> _findings = [];

    /// <summary>Works for so long, in time of the processor, and says what came of it; returns the number of different findings.</summary>
    /// <remarks>Ten minutes on the wall are seconds of work on a machine that does something else meanwhile.</remarks>
    public int Run(TimeSpan work)
    {
        long begun = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        foreach (byte[] input in target.Inputs())
            Try(input, isSeed: true);
        int given = _queue.Count;
        long runs = 0;
        for (; Environment.CpuUsage.TotalTime - before < work && _findings.Count < MaxFindings; runs++)
        {
            byte[] other = _queue[_mutator.Pick(_queue.Count)];
            Try(_mutator.Mutate(_queue[_mutator.Pick(_queue.Count)], other, target.MaxLength), isSeed: false);
        }

        Console.WriteLine($"{target.Name,-22} {runs,11} inputs in {(Environment.CpuUsage.TotalTime - before).TotalSeconds:F0} s of work "
            + $"({Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} s), "
            + $"{coverage.Edges} edges, {_queue.Count - given} kept, {_findings.Count} findings (seed {seed})");
        return _findings.Count;
    }

    private void Try(byte[] input, bool isSeed)
    {
        TimeSpan begun = Environment.CpuUsage.TotalTime; // The clock on the wall measures what else the machine does.
        coverage.Begin();
        try
        {
            target.Run(input);
        }
        catch (Exception fault)
        {
            Report(fault, input);
            return;
        }

        TimeSpan took = Environment.CpuUsage.TotalTime - begun;
        if (took > s_slow)
            Report(new TimeoutException($"one input took {took.TotalSeconds:F1} s of processor time"), input);
        if (!coverage.IsNew() && !isSeed)
            return;
        _queue.Add(input);
        if (!isSeed)
            Corpus.Save(Path.Combine(folder, "corpus", target.Name), input);
    }

    private void Report(Exception fault, byte[] input)
    {
        string place = fault.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("P2PMigrate", StringComparison.Ordinal))?.Trim() ?? "";
        if (!_findings.Add(fault.GetType().Name + place))
            return;
        string file = Corpus.Save(Path.Combine(folder, "findings", target.Name), input);
        Console.WriteLine($"FINDING in {target.Name}: {file}\n{fault}");
    }
}
