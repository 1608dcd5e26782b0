using System.Diagnostics;

namespace P2PMigrate.TunnelBench.Ground;

/// <summary>All counters of a network and of the machine under it at one moment.</summary>
internal readonly record struct Reading(long Timestamp, long ArrivedBytes, TimeSpan Ends, MachineTime Machine)
{
    public static Reading Take(BenchNetwork network) => new(Stopwatch.GetTimestamp(), network.ArrivedBytes, network.CpuTime, MachineTime.Now);

    /// <summary>What was used and carried from <paramref name="before"/> until this moment.</summary>
    public Usage Since(Reading before) => new(
        Stopwatch.GetElapsedTime(before.Timestamp, Timestamp),
        ArrivedBytes - before.ArrivedBytes,
        Ends - before.Ends,
        Machine.SoftInterrupts - before.Machine.SoftInterrupts,
        Machine.Busy - before.Machine.Busy);
}

/// <summary>
/// What happened between two readings. <paramref name="Ends"/> is the CPU time of both nodes' cgroups, <paramref name="SoftInterrupts"/> that of
/// the kernel's threads for packets, <paramref name="Busy"/> that of the whole machine, the other two included.
/// </summary>
internal readonly record struct Usage(TimeSpan Time, long ArrivedBytes, TimeSpan Ends, TimeSpan SoftInterrupts, TimeSpan Busy)
{
    /// <summary>Everything else on the machine; a little below nothing is within what the clock's tick can tell.</summary>
    public TimeSpan Others => Busy - Ends - SoftInterrupts;
}
