using System.Globalization;

namespace P2PMigrate.TunnelBench.Ground;

/// <summary>
/// What the whole machine has used so far. <paramref name="Busy"/> is sampled by the clock's tick, so that it is right on average and to about
/// a hundredth of a second; <paramref name="SoftInterrupts"/> is exact, the time of the threads that receive packets when nobody else has come
/// to it. These belong to no cgroup, though it is the transfer that keeps them busy.
/// </summary>
internal readonly record struct MachineTime(TimeSpan Busy, TimeSpan SoftInterrupts)
{
    /// <summary>The unit of /proc/stat on all machines.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>user, nice, system, (idle, iowait,) irq, softirq: columns of the first line. What a hypervisor took is nobody's.</summary>
    private static readonly int[] s_busyColumns = [1, 2, 3, 6, 7];

    private static readonly string[] s_softInterruptThreads =
        [.. Directory.EnumerateDirectories("/proc").Where(IsSoftInterruptThread).Select(process => Path.Combine(process, "schedstat"))];

    public static MachineTime Now
    {
        get
        {
            string[] cpu = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            double busy = s_busyColumns.Sum(column => (double)Parse(cpu[column])) / TicksPerSecond;
            long nanoseconds = s_softInterruptThreads.Sum(file => Parse(File.ReadAllText(file).Split(' ')[0]));
            return new MachineTime(TimeSpan.FromSeconds(busy), TimeSpan.FromMicroseconds(nanoseconds / 1e3));
        }
    }

    private static long Parse(string number) => long.Parse(number, CultureInfo.InvariantCulture);

    private static bool IsSoftInterruptThread(string process)
    {
        try
        {
            return char.IsDigit(Path.GetFileName(process)[0]) && File.ReadAllText(Path.Combine(process, "comm")).StartsWith("ksoftirqd/", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It has ended.
        }
    }
}
