using System.Diagnostics;

namespace P2PMigrate.TreeBench;

/// <summary>What something took, on the wall and of this process' processors.</summary>
internal readonly record struct Timing(double Wall, double Cpu)
{
    /// <summary>Runs <paramref name="action"/>; milliseconds.</summary>
    public static Timing Of(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        action();
        return new Timing(Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
    }

    public static Timing operator +(Timing left, Timing right) => new(left.Wall + right.Wall, left.Cpu + right.Cpu);

    public override string ToString() => $"{Wall,7:0} ms, {Cpu:0} ms CPU";
}
