using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Crun;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>What a bundle's configuration says about whether its container can leave here, or come here.</summary>
internal sealed class BundleCheck(ContainerDescription container, string dataDirectory)
{
    private readonly List<Finding> _findings = [];

    /// <summary>At the source: what would not come along.</summary>
    // spec: MIG-181
    public IReadOnlyList<Finding> AtSource()
    {
        if (!BundleConfiguration.TryParse(container.Configuration.Span, out BundleConfiguration? configuration)) return _findings;
        if (configuration.HasTerminal) Add(FindingSeverity.Blocker, "terminal", "The container is attached to a terminal.", "Set process.terminal to false in config.json and start it detached.");
        if (configuration.MapsUsers && container.Runtime == CrunTool.ProgramName)
            Add(FindingSeverity.Blocker, "user namespace", "The container's users are mapped, and crun cannot restore such a container: what it hides of /proc would be out of reach for CRIU.", "Run it with runc, whose containers with mapped users can move.");
        if (configuration.Manager is { } manager)
        {
            Add(
                FindingSeverity.Blocker, "manager", $"The container belongs to {(manager == "libpod" ? "Podman" : manager)}, which would not know that it has left.",
                manager == "libpod" ? "Name it as Podman does (podman ps), or with --runtime podman." : $"Run it with {container.Runtime} itself; containers of {manager} are not moved by this version.");
        }

        return [.. _findings, .. VolumeCheck.AtSource(container, configuration.BindMounts)];
    }

    /// <summary>At the target: what it needs of this machine.</summary>
    public async Task<IReadOnlyList<Finding>> AtTargetAsync(CancellationToken cancellationToken)
    {
        if (!BundleConfiguration.TryParse(container.Configuration.Span, out BundleConfiguration? configuration))
        {
            Add(FindingSeverity.Blocker, "configuration", "The container's config.json is no JSON object.", "Repair the bundle at the source.");
            return _findings;
        }

        await CheckNetworkAsync(configuration, cancellationToken).ConfigureAwait(false);
        if (configuration.MapsUsers) _findings.AddRange(UserNamespaces.AtTarget(dataDirectory));
        CheckMounts(configuration);
        return _findings;
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
        _findings.AddRange(VolumeCheck.AtTarget(configuration.BindMounts));
        if (configuration.HasHooks)
        {
            Add(FindingSeverity.Warning, "hooks", "The container's configuration runs programs of the host (OCI hooks), which must exist here too.", "Look at \"hooks\" in config.json.");
        }
    }

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
