using System.Globalization;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>Could a peer's container be restored here? Everything that is known before its content arrives.</summary>
internal sealed class TargetCheck(RuncTool runc, ContainerDescription container, MachineFacts source)
{
    private const long DiskReserve = 256L << 20;
    private const int FeaturesShown = 8;

    private readonly List<Finding> _findings = [];

    /// <summary>Looks at everything; one finding a line.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        await CheckVersionsAsync(cancellationToken).ConfigureAwait(false);
        CheckProcessor();
        await CheckNameAsync(cancellationToken).ConfigureAwait(false);
        CheckRoom();
        if (!BundleConfiguration.TryParse(container.Configuration.Span, out BundleConfiguration? configuration))
        {
            Add(FindingSeverity.Blocker, "configuration", "The container's config.json is no JSON object.", "Repair the bundle at the source.");
            return _findings;
        }

        await CheckNetworkAsync(configuration, cancellationToken).ConfigureAwait(false);
        CheckMounts(configuration);
        return _findings;
    }

    private async Task CheckVersionsAsync(CancellationToken cancellationToken)
    {
        ToolVersion criu = await runc.CriuVersionAsync(cancellationToken).ConfigureAwait(false);
        bool readable = ToolVersion.TryFind(source.CriuVersion, out ToolVersion theirs) && criu >= theirs;
        Add(
            readable ? FindingSeverity.Good : FindingSeverity.Blocker, "criu version",
            $"CRIU is {criu} here and {source.CriuVersion} at the source.", readable ? null : $"Install CRIU {source.CriuVersion} or later on the target.");

        ToolVersion here = await runc.RuncVersionAsync(cancellationToken).ConfigureAwait(false);
        bool older = !ToolVersion.TryFind(source.RuntimeVersion, out ToolVersion there) || (here.Major, here.Minor).CompareTo((there.Major, there.Minor)) < 0;
        Add(
            older ? FindingSeverity.Warning : FindingSeverity.Good, "runc version",
            $"runc is {here} here and {source.RuntimeVersion} at the source.", older ? $"Install runc {source.RuntimeVersion} or later on the target." : null);
    }

    private void CheckProcessor()
    {
        if (source.Architecture != Machine.Architecture)
        {
            Add(FindingSeverity.Blocker, "architecture", $"The container runs on {source.Architecture}; this machine is {Machine.Architecture}.", "Choose a target of the same architecture.");
            return;
        }

        string[] missing = [.. source.CpuFeatures.Except(Machine.CpuFeatures(), StringComparer.Ordinal)];
        Add(
            missing.Length == 0 ? FindingSeverity.Good : FindingSeverity.Warning, "cpu features",
            missing.Length == 0
                ? "This CPU has all features of the source's."
                : $"This CPU lacks {missing.Length} features of the source's ({string.Join(' ', missing.Take(FeaturesShown))}{(missing.Length > FeaturesShown ? " …" : "")}).",
            missing.Length == 0 ? null : "Processes that use them would crash; choose a target with the same kind of CPU to be sure.");
    }

    private async Task CheckNameAsync(CancellationToken cancellationToken)
    {
        bool free = await runc.StateAsync(container.Name, cancellationToken).ConfigureAwait(false) is null
            && !Directory.Exists(runc.StateDirectoryOf(container.Name));
        Add(
            free ? FindingSeverity.Good : FindingSeverity.Blocker, "name",
            free ? $"No container is named {container.Name} here." : $"A container named {container.Name} exists here already.",
            free ? null : $"Remove it on the target: runc delete {container.Name}");
    }

    private void CheckRoom()
    {
        bool memory = Machine.AvailableMemory >= container.MemoryBytes;
        Add(
            memory ? FindingSeverity.Good : FindingSeverity.Blocker, "memory",
            $"{Megabytes(Machine.AvailableMemory)} of memory are free and {Megabytes(container.MemoryBytes)} needed.", memory ? null : "Free memory on the target.");

        long free = FreeBytes(runc.Options.DataDirectory), needed = container.MemoryBytes + DiskReserve;
        bool disk = free >= needed;
        Add(
            disk ? FindingSeverity.Good : FindingSeverity.Blocker, "disk",
            $"{Megabytes(free)} are free below {runc.Options.DataDirectory} and {Megabytes(needed)} needed besides the root file system.",
            disk ? null : "Free disk space on the target.");
    }

    private async Task CheckNetworkAsync(BundleConfiguration configuration, CancellationToken cancellationToken)
    {
        if (configuration.NetworkNamespacePath is not { } path)
        {
            Add(
                configuration.HasNetworkNamespace ? FindingSeverity.Good : FindingSeverity.Warning, "network",
                configuration.HasNetworkNamespace
                    ? "The container gets a network namespace of its own, with loopback only."
                    : "The container uses the host's network: its addresses must exist here and its ports be free.",
                configuration.HasNetworkNamespace ? null : "Give it a prepared network namespace on both machines.");
            return;
        }

        ToolResult loopback = await Tool.RunAsync("nsenter", [$"--net={path}", "ip", "-o", "link", "show", "up", "dev", "lo"], cancellationToken).ConfigureAwait(false);
        bool up = loopback.Succeeded && loopback.Output.Contains("lo:", StringComparison.Ordinal);
        string name = Path.GetFileName(path);
        Add(
            up ? FindingSeverity.Good : FindingSeverity.Blocker, "network",
            up ? $"The network namespace {path} is prepared."
                : File.Exists(path) ? $"The loopback of the network namespace {path} is down." : $"The network namespace {path}, which the container uses, does not exist here.",
            up ? null : $"ip netns add {name}; ip -n {name} link set lo up; give it the container's addresses");
    }

    private void CheckMounts(BundleConfiguration configuration)
    {
        foreach (BindMount mount in configuration.BindMounts.Where(mount => !Path.Exists(mount.Source)))
        {
            Add(
                FindingSeverity.Blocker, "mount", $"{mount.Source}, which the container sees as {mount.Destination}, does not exist here.",
                "Make it on the target with the same content; bind mounts are not copied.");
        }

        if (configuration.HasHooks)
        {
            Add(FindingSeverity.Warning, "hooks", "The container's configuration runs programs of the host (OCI hooks), which must exist here too.", "Look at \"hooks\" in config.json.");
        }
    }

    private static long FreeBytes(string directory)
    {
        while (!Directory.Exists(directory)) directory = Path.GetDirectoryName(directory) ?? "/";
        return new DriveInfo(directory).AvailableFreeSpace;
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MB");

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
