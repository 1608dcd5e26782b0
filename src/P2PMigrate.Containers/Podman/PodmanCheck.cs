using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>What Podman's configuration says about whether a container can leave here, or come here.</summary>
internal sealed class PodmanCheck(PodmanTool podman, ContainerDescription container)
{
    private readonly List<Finding> _findings = [];

    /// <summary>At the source: what Podman would do to it, or does for it, that does not move.</summary>
    // spec: MIG-183
    public IReadOnlyList<Finding> AtSource(PodmanContainer known)
    {
        CheckWhoStarts(known);
        CheckBelongings(known);
        if (podman.RuntimeOf(known.Runtime) is null) Block("runtime", $"Podman runs the container with {known.Runtime}; it can be moved when crun or runc runs it.", "Create it with `podman --runtime crun`.");
        if (known.Config.Tty) Block("terminal", "The container has a terminal of this machine.", "Create it without --tty.");
        if (PodmanTool.InSharedMemory(known.Id) is { } file)
            Block("shared memory", $"/dev/shm/{file} is in a file system that Podman makes for the container, and does not move.", "Let the program use another directory, or create the container with --tmpfs /dev/shm.");
        return Parse() is { } configuration ? [.. _findings, .. Plain(configuration).AtSource()] : _findings;
    }

    /// <summary>At the source: what only Podman, or the runtime below it, can tell.</summary>
    public async Task<IReadOnlyList<Finding>> AtSourceAsync(PodmanContainer known, CancellationToken cancellationToken)
    {
        if (podman.RuntimeOf(known.Runtime) is { } runtime) _findings.AddRange(await RuntimeFindingsAsync(runtime, cancellationToken).ConfigureAwait(false));
        foreach (string network in known.HostConfig.NetworkMode == PodmanConfiguration.Bridge ? known.NetworkSettings.Networks?.Keys ?? [] : [])
            if (await podman.NetworkAsync(network, cancellationToken).ConfigureAwait(false) is { } made) _findings.AddRange(PodmanNetworkCheck.Kind(made));
        foreach (string dependent in await podman.DependentsOfAsync(known.Id, cancellationToken).ConfigureAwait(false))
            Block("dependency", $"The container {dependent} needs this one, as those do that share its network, and Podman would not let it go.", $"Remove that one first: podman rm {dependent}");
        return _findings;
    }

    /// <summary>At the target: what it needs of this machine.</summary>
    public async Task<IReadOnlyList<Finding>> AtTargetAsync(CancellationToken cancellationToken)
    {
        if (Parse() is not { } configuration)
        {
            Block("configuration", "The container's configuration is none of Podman's.", "Use the same version of P2PMigrate on both machines.");
            return _findings;
        }

        string manager = await podman.CgroupManagerAsync(cancellationToken).ConfigureAwait(false), theirs = configuration.UsesSystemdCgroups ? "systemd" : "cgroupfs";
        if (manager != theirs) Block("cgroup manager", $"Podman makes its cgroups by {manager} here, and by {theirs} at the source.", $"Set cgroup_manager = \"{theirs}\" in the section [engine] of /etc/containers/containers.conf, or the other one at the source.");
        _findings.AddRange(await RuntimeHereAsync(podman, configuration.Runtime, cancellationToken).ConfigureAwait(false));
        _findings.AddRange(configuration.Ports.Select(port => port.Look()).OfType<Finding>());
        _findings.AddRange(await new PodmanNetworkCheck(podman).RunAsync(configuration.Networks, cancellationToken).ConfigureAwait(false));
        IReadOnlyList<Finding> plain = await Plain(configuration).AtTargetAsync(cancellationToken).ConfigureAwait(false);
        return [.. _findings, .. plain.Where(finding => !configuration.HasNetworkOfPodman || finding.Subject != "network")];
    }

    /// <summary>Is the runtime here that has made images? They are not for another.</summary>
    // spec: MIG-180
    public static async Task<IReadOnlyList<Finding>> RuntimeHereAsync(PodmanTool podman, string name, CancellationToken cancellationToken)
    {
        if (podman.RuntimeOf(name) is not { } runtime)
            return [new Finding(FindingSeverity.Blocker, "runtime", $"Podman runs the container with {name} at the source, with which this version moves none.", "Create it with `podman --runtime crun`.")];
        return Tool.Exists(runtime.Program) ? await RuntimeFindingsAsync(runtime, cancellationToken).ConfigureAwait(false)
            : [new Finding(FindingSeverity.Blocker, "runtime", $"Podman runs the container with {runtime.Name} at the source, which is not here.", $"apt-get install {runtime.Name}")];
    }

    private static async Task<IReadOnlyList<Finding>> RuntimeFindingsAsync(RuncTool runtime, CancellationToken cancellationToken)
    {
        ToolVersion version = await runtime.VersionAsync(cancellationToken).ConfigureAwait(false);
        return version >= runtime.VersionMin ? runtime.CheckInstallation()
            : [new Finding(FindingSeverity.Blocker, "runtime", $"{runtime.Name}, which runs the container below Podman, is {version} here.", $"Install {runtime.Name} {runtime.VersionMin} or later."), .. runtime.CheckInstallation()];
    }

    /// <summary>Who would start it again beside its copy, or do something to it while it stands still.</summary>
    private void CheckWhoStarts(PodmanContainer known)
    {
        string name = container.Name;
        if (known.HostConfig.RestartPolicy.Name is not ("" or "no"))
            Block("restart", $"Podman starts the container again when it ends (--restart {known.HostConfig.RestartPolicy.Name}), and would when its copy at the target goes on.", $"podman update --restart no {name}");
        if (known.Config.Labels?.GetValueOrDefault("PODMAN_SYSTEMD_UNIT") is { } unit || (unit = ServiceOf(container.CgroupPath)) is not null)
            Block("restart", $"systemd's {unit} runs the container, and would start it again when its copy at the target goes on.", "Run it with `podman run` by itself.");
        if (known.Config.Healthcheck?.Test is { Count: > 0 } test && test[0] != "NONE")
            Block("health check", "Podman runs a program in the container from time to time to see whether it is well, and would find it standing still.", "Create it with --no-healthcheck.");
        if (known.HostConfig.AutoRemove) Block("removal", "Podman removes the container, and volumes without a name, when it ends (--rm).", "Create it without --rm.");
    }

    /// <summary>What it shares with others, or has of this machine's.</summary>
    private void CheckBelongings(PodmanContainer known)
    {
        PodmanHostSettings settings = known.HostConfig;
        if (known.Pod.Length > 0) Block("pod", "The container belongs to a pod, whose network and other containers would stay.", "Run it by itself.");
        if (!IsKept(settings.NetworkMode))
            Block("network", $"Podman makes the container's network ({settings.NetworkMode}), with an address of this machine.", "Create it with --network bridge, or give it a prepared one, on both machines: ip netns add NAME; podman create --network ns:/run/netns/NAME.");
        if (settings.UsernsMode is not ("" or "host")) Block("user namespace", $"The container's users are mapped (--userns {settings.UsernsMode}), with which this version cannot move it.", "Create it without.");
        foreach (string shared in new[] { settings.PidMode, settings.IpcMode, settings.UtsMode, settings.CgroupMode }.Where(mode => mode.StartsWith("container:", StringComparison.Ordinal)))
            Block("namespace", $"The container shares a namespace with another ({shared}), which would stay.", "Run it by itself.");
        if (known.Dependencies is { Count: > 0 }) Block("dependency", "The container needs another one of Podman (--requires), which would stay.", "Create it without.");
        if (known.Config.Secrets is { Count: > 0 }) Block("secret", "The container has secrets that Podman keeps here.", "Put them into its root file system, or bind-mount them on both machines.");
    }

    private static string? ServiceOf(string cgroup) => cgroup.Split('/').LastOrDefault(part => part.EndsWith(".service", StringComparison.Ordinal));

    private static bool IsKept(string network) => network is "none" or "host" or PodmanConfiguration.Bridge || network.StartsWith("ns:", StringComparison.Ordinal);

    private PodmanConfiguration? Parse() => PodmanConfiguration.TryParse(container.Configuration.Span, out PodmanConfiguration? configuration) ? configuration : null;

    private BundleCheck Plain(PodmanConfiguration configuration) => new(container with { Configuration = configuration.PlainBundle }, podman.Options.DataDirectory);

    private void Block(string subject, string message, string remedy) => _findings.Add(new Finding(FindingSeverity.Blocker, subject, message, remedy));
}
