using System.Globalization;

namespace P2PMigrate.RendezvousBench;

/// <summary>What a server's process had used at a moment.</summary>
/// <param name="Registrations">Peers that are there.</param>
/// <param name="ManagedBytes">Live bytes on the managed heap, after a full collection.</param>
/// <param name="ResidentBytes">Bytes in memory, from /proc.</param>
/// <param name="CpuSeconds">Processor time of the process and the kernel on its behalf, from /proc.</param>
public readonly record struct ServerReading(int Registrations, long ManagedBytes, long ResidentBytes, double CpuSeconds)
{
    private const double TicksPerSecond = 100; // the kernel's USER_HZ

    /// <summary>Resident bytes and CPU time of a process.</summary>
    public static (long ResidentBytes, double CpuSeconds) OfProcess(int id)
    {
        string status = File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        long kilobytes = long.Parse(status["VmRSS:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        string[] fields = File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' '); // from the third field on
        double ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
        return (kilobytes * 1024, ticks / TicksPerSecond);
    }
}
