using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>Can this machine dump and restore at all? What <c>criu check</c> does not tell is looked at here.</summary>
internal sealed class MachineCheck(IRuntimeProgram runtime)
{
    private const long PipeSizeWanted = 268_435_456;
    private static readonly ToolVersion s_criuMin = new(4, 1);
    private static readonly ToolVersion s_criuForNewKernels = new(4, 2);
    private static readonly ToolVersion s_kernelWithoutPassCred = new(6, 16);
    private static readonly string[] s_programs = ["ip", "nsenter", "setsid", "tar", "gzip"];

    private readonly List<Finding> _findings = [];

    /// <summary>Looks at everything; one finding a line.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        CheckRoot();
        if (!runtime.IsCriu) await CheckRuntimeAsync(cancellationToken).ConfigureAwait(false);
        await CheckCriuAsync(cancellationToken).ConfigureAwait(false);
        CheckSysResource();
        CheckCgroup();
        CheckPrograms();
        return _findings;
    }

    private void CheckRoot()
    {
        bool root = Native.EffectiveUser() == 0;
        Add(root ? FindingSeverity.Good : FindingSeverity.Blocker, "user", root ? "Runs as root." : "Does not run as root, which CRIU needs.", root ? null : "Run p2pmigrate as root.");
    }

    private async Task CheckRuntimeAsync(CancellationToken cancellationToken)
    {
        if (await TryVersionAsync(runtime.Name, runtime.VersionAsync, $"apt-get install {runtime.Name}", cancellationToken).ConfigureAwait(false) is not { } version) return;
        bool fits = version >= runtime.VersionMin;
        Add(fits ? FindingSeverity.Good : FindingSeverity.Blocker, $"{runtime.Name} version", $"{runtime.Name} is {version}.", fits ? null : $"Install {runtime.Name} {runtime.VersionMin} or later.");
        _findings.AddRange(runtime.CheckInstallation());
    }

    private async Task CheckCriuAsync(CancellationToken cancellationToken)
    {
        if (await TryVersionAsync("criu", runtime.CriuVersionAsync, "apt-get install criu", cancellationToken).ConfigureAwait(false) is not { } version) return;
        bool fits = version >= s_criuMin;
        Add(fits ? FindingSeverity.Good : FindingSeverity.Blocker, "criu version", $"CRIU is {version}.", fits ? null : $"Install CRIU {s_criuForNewKernels} or later.");

        ToolVersion.TryFind(Machine.KernelRelease, out ToolVersion kernel);
        bool sockets = kernel < s_kernelWithoutPassCred || version >= s_criuForNewKernels;
        Add(
            sockets ? FindingSeverity.Good : FindingSeverity.Blocker, "kernel",
            sockets ? $"Linux {Machine.KernelRelease} and this CRIU go together." : $"CRIU {version} cannot dump internet sockets on Linux {kernel}.",
            sockets ? null : "Install CRIU 4.2 or later.");

        ToolResult check = await Tool.RunAsync(runtime.Criu, ["check"], cancellationToken).ConfigureAwait(false);
        Add(
            check.Succeeded ? FindingSeverity.Good : FindingSeverity.Blocker, "criu check",
            check.Succeeded ? "CRIU is content with the kernel." : $"CRIU is not content with the kernel: {(check.Error + check.Output).Trim()}",
            check.Succeeded ? null : "Use a kernel with checkpoint/restore built in (CONFIG_CHECKPOINT_RESTORE), as distributions' kernels have.");
    }

    private void CheckSysResource()
    {
        if (Machine.HasSysResource)
        {
            Add(FindingSeverity.Good, "CAP_SYS_RESOURCE", "Root may lift resource limits.");
            return;
        }

        Add(
            FindingSeverity.Warning, "CAP_SYS_RESOURCE", "Root lacks CAP_SYS_RESOURCE here: CRIU can dump only processes that run as root.",
            "Give the machine's root this capability, or migrate only containers whose processes run as root.");
        bool pipes = Machine.PipeSizeMax >= PipeSizeWanted;
        Add(
            pipes ? FindingSeverity.Good : FindingSeverity.Warning, "pipe size",
            string.Create(CultureInfo.InvariantCulture, $"fs.pipe-max-size is {Machine.PipeSizeMax}."),
            pipes ? null : $"sysctl -w fs.pipe-max-size={PipeSizeWanted}");
    }

    private void CheckCgroup()
    {
        bool unified = Mount.Of("self").Any(mount => mount.FileSystem == "cgroup2");
        Add(
            unified ? FindingSeverity.Good : FindingSeverity.Blocker, "cgroup v2",
            unified ? "cgroup v2 is mounted." : "cgroup v2 is not mounted; containers are frozen with it.",
            unified ? null : "Boot with systemd.unified_cgroup_hierarchy=1.");
    }

    private void CheckPrograms()
    {
        string[] missing = [.. s_programs.Where(program => !Tool.Exists(program))];
        Add(
            missing.Length == 0 ? FindingSeverity.Good : FindingSeverity.Blocker, "programs",
            missing.Length == 0 ? "All programs that CRIU calls are here." : $"Missing: {string.Join(", ", missing)}.",
            missing.Length == 0 ? null : "apt-get install iproute2 util-linux tar gzip");
        if (Tool.Exists("nft") || Tool.Exists("iptables")) return;
        Add(
            FindingSeverity.Warning, "firewall tools", "Neither nft nor iptables is here: containers with a network that is no bridge port cannot be dumped.",
            "apt-get install nftables");
    }

    private async Task<ToolVersion?> TryVersionAsync(
        string program, Func<CancellationToken, Task<ToolVersion>> ask, string remedy, CancellationToken cancellationToken)
    {
        try
        {
            return await ask(cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException missing)
        {
            Add(FindingSeverity.Blocker, $"{program} version", missing.Message, remedy);
            return null;
        }
    }

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
