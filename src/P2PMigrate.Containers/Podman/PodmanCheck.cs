using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>What Podman's configuration says about whether a container can leave here, or come here.</summary>
internal sealed class PodmanCheck(ContainerDescription container)
{
    private readonly List<Finding> _findings = [];

    /// <summary>At the source: what Podman would do to it, or does for it, that does not move.</summary>
    // spec: MIG-183
    public IReadOnlyList<Finding> AtSource(PodmanContainer known)
    {
        string name = container.Name;
        if (known.Runtime != PodmanTool.OciRuntime) Add(FindingSeverity.Blocker, "runtime", $"Podman runs the container with {known.Runtime}; it can be moved when runc runs it.", "Create it with `podman --runtime runc`.");
        if (known.HostConfig.RestartPolicy.Name is not ("" or "no"))
            Add(FindingSeverity.Blocker, "restart", $"Podman starts the container again when it ends (--restart {known.HostConfig.RestartPolicy.Name}), and would when its copy at the target goes on.", $"podman update --restart no {name}");
        if (known.Pod.Length > 0) Add(FindingSeverity.Blocker, "pod", "The container belongs to a pod, whose network and other containers would stay.", "Run it by itself.");
        if (!IsKept(known.HostConfig.NetworkMode))
            Add(FindingSeverity.Blocker, "network", $"Podman makes the container's network ({known.HostConfig.NetworkMode}), with an address of this machine.", "Give it a prepared one, on both machines: ip netns add NAME; podman create --network ns:/run/netns/NAME, or none.");
        if (known.Config.Tty) Add(FindingSeverity.Blocker, "terminal", "The container has a terminal of this machine.", "Create it without --tty.");
        if (known.Config.Healthcheck?.Test is [not "NONE", ..]) Add(FindingSeverity.Warning, "health check", "Podman looks after the container's health here, and will not at the target before it is started anew.");
        if (known.HostConfig.AutoRemove) Add(FindingSeverity.Warning, "removal", "Podman removes the container when it ends (--rm), and will not at the target.");
        if (Shared() is { } file) Add(FindingSeverity.Blocker, "shared memory", $"/dev/shm/{file} is in a file system that Podman makes for the container, and does not move.", "Let the program use another directory, or create the container with --ipc private and a --tmpfs for it.");
        return Parse() is { } configuration ? [.. _findings, .. Plain(configuration).AtSource()] : _findings;
    }

    /// <summary>At the target: what it needs of this machine.</summary>
    public async Task<IReadOnlyList<Finding>> AtTargetAsync(CancellationToken cancellationToken)
    {
        if (Parse() is { } configuration) return await Plain(configuration).AtTargetAsync(cancellationToken).ConfigureAwait(false);
        Add(FindingSeverity.Blocker, "configuration", "The container's configuration is none of Podman's.", "Use the same version of P2PMigrate on both machines.");
        return _findings;
    }

    private static bool IsKept(string network) => network is "none" or "host" || network.StartsWith("ns:", StringComparison.Ordinal);

    private PodmanConfiguration? Parse() => PodmanConfiguration.TryParse(container.Configuration.Span, out PodmanConfiguration? configuration) ? configuration : null;

    private BundleCheck Plain(PodmanConfiguration configuration) => new(container with { Configuration = configuration.PlainBundle });

    private string? Shared() => PodmanTool.InSharedMemory(container.InitPid);

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
