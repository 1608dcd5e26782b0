using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>Could a peer's container be restored here? Everything that is known before its content arrives.</summary>
internal sealed class TargetCheck(IRuntimeProgram runtime, ContainerDescription container, MachineFacts source, string dataDirectory)
{
    private const long DiskReserve = 256L << 20;
    private const int FeaturesShown = 8;

    private readonly List<Finding> _findings = [];

    /// <summary>Looks at everything; one finding a line.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        await CheckVersionsAsync(cancellationToken).ConfigureAwait(false);
        CheckProcessor();
        if (!runtime.IsCriu) await CheckNameAsync(cancellationToken).ConfigureAwait(false); // its numbers are looked at, one by one
        CheckRoom();
        return _findings;
    }

    private async Task CheckVersionsAsync(CancellationToken cancellationToken)
    {
        ToolVersion criu = await runtime.CriuVersionAsync(cancellationToken).ConfigureAwait(false);
        bool readable = ToolVersion.TryFind(source.CriuVersion, out ToolVersion theirs) && criu >= theirs;
        Add(
            readable ? FindingSeverity.Good : FindingSeverity.Blocker, "criu version",
            $"CRIU is {criu} here and {source.CriuVersion} at the source.", readable ? null : $"Install CRIU {source.CriuVersion} or later on the target.");
        if (runtime.IsCriu) return;

        ToolVersion here = await runtime.VersionAsync(cancellationToken).ConfigureAwait(false);
        bool older = !ToolVersion.TryFind(source.RuntimeVersion, out ToolVersion there) || (here.Major, here.Minor).CompareTo((there.Major, there.Minor)) < 0;
        Add(
            older ? FindingSeverity.Warning : FindingSeverity.Good, $"{runtime.Name} version",
            $"{runtime.Name} is {here} here and {source.RuntimeVersion} at the source.", older ? $"Install {runtime.Name} {source.RuntimeVersion} or later on the target." : null);
    }

    private void CheckProcessor()
    {
        if (source.Architecture != Machine.Architecture)
        {
            Add(FindingSeverity.Blocker, "architecture", $"The container runs on {source.Architecture}; this machine is {Machine.Architecture}.", "Choose a target of the same architecture.");
            return;
        }

        string[] missing = [.. source.CpuFeatures.Except(Machine.CpuFeatures(), StringComparer.Ordinal)];
        string[] instructions = [.. missing.Where(CpuInstructions.Includes)];
        if (missing.Length == 0)
            Add(FindingSeverity.Good, "cpu features", "This CPU has all features of the source's.");
        else if (instructions.Length == 0)
            Add(FindingSeverity.Warning, "cpu features", $"This CPU lacks {Some(missing)} of the source's; programs are not known to use these.");
        else
            Add(
                FindingSeverity.Blocker, "cpu features", $"This CPU lacks {Some(instructions)} of the source's.",
                "Programs found these when they started, and would crash here. Choose a target with the same kind of CPU, or give both machines the same CPU model where they are virtual.");
    }

    private static string Some(string[] features) =>
        $"{features.Length} {(features.Length == 1 ? "feature" : "features")} ({string.Join(' ', features.Take(FeaturesShown))}{(features.Length > FeaturesShown ? " …" : "")})";

    private async Task CheckNameAsync(CancellationToken cancellationToken)
    {
        bool free = await runtime.FindAsync(container.Name, cancellationToken).ConfigureAwait(false) is null && !runtime.HasRemainsOf(container.Name);
        Add(
            free ? FindingSeverity.Good : FindingSeverity.Blocker, "name",
            free ? $"No container is named {container.Name} here." : $"A container named {container.Name} exists here already.",
            free ? null : $"Remove it on the target: {runtime.RemovalCommand(container.Name)}");
    }

    private void CheckRoom()
    {
        bool memory = Machine.AvailableMemory >= container.MemoryBytes;
        Add(
            memory ? FindingSeverity.Good : FindingSeverity.Blocker, "memory",
            $"{Megabytes(Machine.AvailableMemory)} of memory are free and {Megabytes(container.MemoryBytes)} needed.", memory ? null : "Free memory on the target.");

        long free = FreeBytes(dataDirectory), needed = container.MemoryBytes + DiskReserve;
        bool disk = free >= needed;
        Add(
            disk ? FindingSeverity.Good : FindingSeverity.Blocker, "disk",
            $"{Megabytes(free)} are free below {dataDirectory} and {Megabytes(needed)} needed besides the root file system.",
            disk ? null : "Free disk space on the target.");
    }

    private static long FreeBytes(string directory)
    {
        while (!Directory.Exists(directory)) directory = Path.GetDirectoryName(directory) ?? "/";
        return new DriveInfo(directory).AvailableFreeSpace;
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MB");

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
