using System.Globalization;
using System.Runtime.InteropServices;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>Facts of this machine that decide what CRIU can do here.</summary>
internal static class Machine
{
    private const int SysResourceBit = 24;

    public static string KernelRelease => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    /// <summary>As <c>uname -m</c> says it.</summary>
    public static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86_64",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        System.Runtime.InteropServices.Architecture.Ppc64le => "ppc64le",
        System.Runtime.InteropServices.Architecture.S390x => "s390x",
        System.Runtime.InteropServices.Architecture other => other.ToString(),
    };

    /// <summary>May we lift resource limits (CAP_SYS_RESOURCE)? Some virtual machines' root may not.</summary>
    public static bool HasSysResource => (EffectiveCapabilities >> SysResourceBit & 1) != 0;

    public static long PipeSizeMax => long.Parse(File.ReadAllText("/proc/sys/fs/pipe-max-size"), CultureInfo.InvariantCulture);

    public static long AvailableMemory => File.ReadLines("/proc/meminfo")
        .Where(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10)
        .FirstOrDefault();

    /// <summary>The flags of the first processor, sorted.</summary>
    public static IReadOnlyList<string> CpuFeatures() =>
    [
        .. File.ReadLines("/proc/cpuinfo")
            .Where(line => line.StartsWith("flags", StringComparison.Ordinal) || line.StartsWith("Features", StringComparison.Ordinal))
            .Take(1)
            .SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What the other peer must know of this machine.</summary>
    public static async Task<MachineFacts> DescribeAsync(IRuntimeProgram runtime, CancellationToken cancellationToken) => new()
    {
        CriuVersion = (await runtime.CriuVersionAsync(cancellationToken).ConfigureAwait(false)).ToString(),
        RuntimeVersion = (await runtime.VersionAsync(cancellationToken).ConfigureAwait(false)).ToString(),
        KernelRelease = KernelRelease,
        Architecture = Architecture,
        CpuFeatures = CpuFeatures(),
    };

    private static ulong EffectiveCapabilities =>
        ulong.TryParse(Processes.ProcessTable.Status(Environment.ProcessId, "CapEff"), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0;
}
